"""A tenant under a clock, and what a browser and an application do at it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from app.local_tenant.asgi import create_tenant
from app.local_tenant.settings import TenantSettings

from ..flow.world import APP, TENANT, Clock, send_form, through_the_pages
from ..tenant_file import started_before

CALLBACK = f"{APP}/auth/callback"
API = f"{TENANT}/api/v2/"
SCOPE = "openid profile email offline_access read:current_user update:current_user_metadata"
ALICE = "auth0|65a4f1c2d3e4b5a697887901"
BOB = "auth0|65a4f1c2d3e4b5a697887902"
VERIFIER = "v" * 64
CLIENT = ("local-app", "local-secret")


class Visitor:
    """One browser at a tenant; `application` is the back channel, without cookies."""

    def __init__(self, directory: Path, **options: Any) -> None:
        """A tenant in this directory. `options` are further ones of `TenantSettings`."""
        self.clock = Clock()
        self.file = started_before(directory / "tenant.sqlite3")
        settings = TenantSettings(
            data_file=self.file, app_urls=(APP,), access_token_lifetime=3600, **options
        )
        self.tenant = create_tenant(settings, clock=self.clock)
        self.browser, self.application = self.client(), self.client()

    def client(self) -> httpx.AsyncClient:
        """Another browser or application."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.tenant), base_url=TENANT)

    def authorize_url(self, **changes: str | None) -> str:
        """An authorization request; `changes` replace parameters, None leaves one out."""
        parameters: dict[str, str | None] = {
            "client_id": "local-app",
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": SCOPE,
            "audience": API,
            "state": "state-value",
            "nonce": "nonce-value",
            "code_challenge": create_s256_code_challenge(VERIFIER),
            "code_challenge_method": "S256",
            **changes,
        }
        given = {name: value for name, value in parameters.items() if value is not None}
        return f"{TENANT}/authorize?{urlencode(given)}"

    async def authorize(self, **changes: str | None) -> httpx.Response:
        """The answer to an authorization request, before any page."""
        return await self.browser.get(self.authorize_url(**changes))

    async def code(self, **changes: str | None) -> str:
        """An authorization code for Alice."""
        url = await through_the_pages(self.browser, self.authorize_url(**changes))
        return query_of(url)["code"]

    async def redeem(self, code: str, **changes: str | None) -> httpx.Response:
        """The token endpoint's answer to a code."""
        return await self.token(
            grant_type="authorization_code",
            code=code,
            redirect_uri=CALLBACK,
            code_verifier=VERIFIER,
            **changes,
        )

    async def token(self, *, auth: Any = CLIENT, **form: str | None) -> httpx.Response:
        """The token endpoint's answer to a form."""
        given = {name: value for name, value in form.items() if value is not None}
        return await self.application.post("/oauth/token", data=given, auth=auth)

    async def refresh(self, refresh_token: str, **changes: str | None) -> httpx.Response:
        """The token endpoint's answer to a refresh token."""
        return await self.token(grant_type="refresh_token", refresh_token=refresh_token, **changes)

    async def tokens(self, *, auth: Any = CLIENT, **changes: str | None) -> dict[str, Any]:
        """A token response for Alice."""
        form = {} if auth else {"client_id": changes["client_id"]}
        response = await self.redeem(await self.code(**changes), auth=auth, **form)
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def claims_at(self, url: str) -> dict[str, Any]:
        """The claims of the ID token for the code at this callback URL."""
        tokens = (await self.redeem(query_of(url)["code"])).json()
        return dict((await self.decoded(tokens["id_token"])).claims)

    async def decoded(self, token: str) -> jwt.Token:
        """A token that the tenant's published keys verify."""
        keys = (await self.application.get("/.well-known/jwks.json")).json()
        return jwt.decode(token, KeySet.import_key_set(keys), ["RS256"])

    def signing_key(self) -> RSAKey:
        """The tenant's private key."""
        with closing(sqlite3.connect(self.file)) as database:
            (jwk,) = database.execute("SELECT jwk FROM keys").fetchone()
        return RSAKey.import_key(json.loads(jwk))

    async def dashboard(self, path: str, **form: str) -> httpx.Response:
        """Send the form of a page of the dashboard."""
        return await send_form(self.browser, f"/dashboard{path}", **form)

    async def user(self, token: str, user_id: str = ALICE, **options: Any) -> httpx.Response:
        """`GET /api/v2/users/{id}`."""
        headers = {"Authorization": f"Bearer {token}"}
        path = f"/api/v2/users/{user_id.replace('|', '%7C')}"
        return await self.application.get(path, headers=headers, **options)

    async def patch(self, token: str, body: Any, user_id: str = ALICE) -> httpx.Response:
        """`PATCH /api/v2/users/{id}`; `body` is JSON, or bytes as they are."""
        headers = {"Authorization": f"Bearer {token}"}
        path = f"/api/v2/users/{user_id.replace('|', '%7C')}"
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return await self.application.patch(path, headers=headers, **content)


def query_of(url: str) -> dict[str, str]:
    """The query of a URL, each parameter once."""
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def answer(response: httpx.Response) -> dict[str, str]:
    """The parameters with which a redirect arrives at the application's callback."""
    location = response.headers["location"]
    assert location.startswith(f"{CALLBACK}?"), location
    return query_of(location)
