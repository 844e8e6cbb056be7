"""Glewlwyd's administration API: what makes an empty one an OpenID provider with a client."""

from __future__ import annotations

from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ..provider_process import ClientURLs

USER = "interop-user"
PASSWORD = "interop-password"
PLUGIN = "oidc"
SCOPES = ("profile", "email", "offline_access")


class Admin:
    """Signed in with the name and the password that its database starts with."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=f"{base_url}/api/", trust_env=False)
        self._post("auth/", {"username": "admin", "password": "password"})

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def add_scopes(self) -> None:
        """`openid` is there from the start."""
        for name in SCOPES:
            self._post("scope/", {"name": name, "display_name": name, "password_required": True})

    def add_user(self) -> None:
        """`g_profile` lets the user say what the client may have."""
        scope = ["openid", *SCOPES, "g_profile"]
        names = {"username": USER, "name": "Interop User", "email": "user@example.com"}
        self._post("user/", {**names, "password": PASSWORD, "enabled": True, "scope": scope})

    def allow_logout_addresses(self) -> None:
        """Its store of clients knows a single address; logging out looks at a list of them."""
        path = "mod/client/database"
        module = self._http.get(path).raise_for_status().json()
        several = {"multiple": True, "read": True, "write": True}
        module["parameters"]["data-format"]["post_logout_redirect_uris"] = several
        self._send("PUT", path, module)
        self._send("PUT", f"{path}/reset", {})

    def add_client(self, client_id: str, secret: str, urls: ClientURLs) -> None:
        """A confidential one."""
        told = {
            "backchannel_logout_uri": urls.backchannel_logout_uri,
            "backchannel_logout_session_required": "1",
        }
        self._post(
            "client/",
            {
                "client_id": client_id,
                "name": "Interop App",
                "enabled": True,
                "confidential": True,
                "password": secret,
                "scope": [],
                "redirect_uri": [urls.redirect_uri],
                "authorization_type": ["code", "refresh_token"],
                "token_endpoint_auth_method": ["client_secret_basic"],
                "post_logout_redirect_uris": [urls.post_logout_redirect_uri],
                **(told if urls.backchannel_logout_uri else {}),
            },
        )

    def add_provider(self, issuer: str, *, is_par_required: bool, access_seconds: int) -> None:
        """An instance of the OpenID Connect plugin."""
        module = {"module": "oidc", "name": PLUGIN, "display_name": PLUGIN, "order_rank": 0}
        parameters = {
            **_general(issuer, access_seconds),
            **_claims(),
            "oauth-par-allowed": True,
            "oauth-par-required": is_par_required,
            "oauth-par-request_uri-prefix": "urn:ietf:params:oauth:request_uri:",
            "oauth-par-duration": 90,
        }
        self._post("mod/plugin/", {**module, "readonly": False, "parameters": parameters})

    def _post(self, path: str, body: dict[str, Any]) -> None:
        self._send("POST", path, body)

    def _send(self, method: str, path: str, body: dict[str, Any]) -> None:
        answer = self._http.request(method, path, json=body)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"


def _general(issuer: str, access_seconds: int) -> dict[str, Any]:
    key, certificate = _key_pair()
    return {
        "iss": issuer,
        "oauth-as-iss-id": True,
        "jwt-type": "rsa",
        "jwt-key-size": "256",
        "key": key,
        "cert": certificate,
        "jwks-show": True,
        "allowed-scope": ["openid", *SCOPES],
        "access-token-duration": access_seconds,
        "refresh-token-duration": 86400,
        "refresh-token-rolling": True,
        "refresh-token-one-use": "always",
        "code-duration": 60,
        "auth-type-code-enabled": True,
        "auth-type-code-revoke-replayed": True,
        "auth-type-refresh-enabled": True,
        "allow-non-oidc": False,
        "pkce-allowed": True,
        "pkce-required": True,
        "pkce-method-plain-allowed": False,
        "introspection-revocation-allowed": True,
        "introspection-revocation-allow-target-client": True,
        "session-management-allowed": True,
        "session-cookie-name": "GLEWLWYD2_OIDC_SID",
        "session-cookie-expiration": 86400,
        "back-channel-logout-allowed": True,
        "front-channel-logout-allowed": True,
    }


def _claims() -> dict[str, Any]:
    return {
        "subject-type": "public",
        "name-claim": "on-demand",
        "name-claim-scope": ["profile"],
        "email-claim": "on-demand",
        "email-claim-scope": ["email"],
        "scope-claim": "no",
    }


def _key_pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()
