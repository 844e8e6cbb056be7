"""The configuration: everything the auth layer has to be told, checked as a whole and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .urls import origin_of

DEFAULT_SCOPE = "openid profile email offline_access"
DEFAULT_APP_BASE_URL = "http://localhost:3000"
MINIMUM_SECRET_LENGTH = 32

# What a login link may set; nothing else passes. OpenID Connect Core section 3.1.2.1, and Auth0's.
LOGIN_PARAMETERS = frozenset(
    {"acr_values", "connection", "invitation", "login_hint", "max_age", "organization", "prompt"}
    | {"screen_hint", "ui_locales"}
)


@dataclass(frozen=True, slots=True)
class AuthorizationParams:
    """What every login asks for: the API's identifier and space-separated scopes.

    `{domain}` in the audience stands for the provider's URL, so that
    `{domain}/api/v2/` names the Management API of whatever tenant is configured.

    A login link may set the `link_parameters` and ask for further scopes: for any, which the
    provider and the user may refuse, or only for those of `optional_scope`. `fixed_parameters`
    such as `(("organization", "org_1"),)` go along with every login, and no link changes them.
    """

    audience: str | None = None
    scope: str = DEFAULT_SCOPE
    optional_scope: str | None = None
    link_parameters: frozenset[str] = LOGIN_PARAMETERS
    fixed_parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ClientAuthenticationConfig:
    """How this client authenticates at the provider (RFC 7591 section 2).

    `token_endpoint_auth_method` is `client_secret_basic`, `client_secret_post`, `private_key_jwt`
    (with `signing_key`, a private key as PEM or JWK) or `none` (a public client, with PKCE alone);
    None takes of the first two the one that the provider announces.
    """

    token_endpoint_auth_method: str | None = None
    signing_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """Everything the auth layer has to be told. URLs carry no trailing slash.

    `issuer_identifier` is the provider's, where that is not `domain` as Auth0 spells it.
    `secrets` seal what is stored, newest first; an empty tuple means that the caller supplies one
    before the service starts (the local tenant's is generated on first use).
    `is_multi_resource` says that the provider gives tokens for further audiences for a refresh
    token (Auth0 calls these multi-resource refresh tokens). `rotation_overlap`: for so many seconds
    after its first use it takes a refresh token once more (Auth0's word, too).
    `pushes_requests`: authorization requests are pushed (RFC 9126) where the provider offers it;
    where it requires it, they always are. `id_token_signed_response_alg` is the one algorithm that
    is accepted; None accepts what discovery announces. `trusted_audiences` may stand beside this
    client in an ID token's `aud`. `trusted_proxies` is the number of our own proxies in front of
    the backend, each of which appends to `X-Forwarded-For`.
    """

    domain: str
    client_id: str
    client_secret: str = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    authorization_params: AuthorizationParams = AuthorizationParams()
    client_authentication: ClientAuthenticationConfig = ClientAuthenticationConfig()
    app_base_url: str = DEFAULT_APP_BASE_URL
    app_api_url: str = DEFAULT_APP_BASE_URL
    redis_url: str | None = field(default=None, repr=False)
    is_local_tenant: bool = False
    is_multi_resource: bool = False
    rotation_overlap: float = 0.0
    issuer_identifier: str | None = None
    pushes_requests: bool = False
    id_token_signed_response_alg: str | None = None
    trusted_audiences: tuple[str, ...] = ()
    trusted_proxies: int = 0

    @property
    def issuer(self) -> str:
        """The issuer identifier, exactly as discovery and ID tokens must spell it.

        Of a domain alone that is Auth0's spelling, with a slash at the end.
        """
        if self.issuer_identifier:
            return self.issuer_identifier
        return self.domain if urlsplit(self.domain).path else f"{self.domain}/"

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends the browser back to (RFC 6749 section 3.1.2)."""
        return f"{self.app_api_url}/auth/callback"

    @property
    def origins(self) -> frozenset[str]:
        """The origins that are this app; no other may use its routes or its websocket."""
        return frozenset(origin_of(url) for url in (self.app_base_url, self.app_api_url))

    @property
    def is_https(self) -> bool:
        """Whether cookies can be Secure and carry the `__Host-` prefix."""
        return self.app_api_url.startswith("https://")

    @classmethod
    def from_environ(
        cls,
        environ: Mapping[str, str],
        *,
        authorization_params: AuthorizationParams | None = None,
    ) -> AuthConfig:
        """Read the environment; `authorization_params` are the defaults behind its two variables.

        With none of the four required `AUTH0_*` set, the result points at the local tenant.

        Raises:
            ConfigError: something is missing or wrong; `problems` names every one of them.
        """
        from .environ import Reader  # it builds on this module

        return Reader(environ).config(authorization_params or AuthorizationParams())
