"""An application that calls the Management API as itself, as by client credentials."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from app.local_tenant.apis import ADMINISTRATION

from ..flow.world import TENANT
from .visitor import Visitor


def administrator_token(
    key: RSAKey, now: float, scopes: Iterable[str] = ADMINISTRATION, *, issuer: str = f"{TENANT}/"
) -> str:
    """An access token with these scopes of the Management API."""
    claims = {
        "iss": issuer,
        "sub": "application@clients",
        "aud": f"{issuer}api/v2/",
        "iat": int(now),
        "exp": int(now) + 3600,
        "scope": " ".join(scopes),
    }
    header = {"alg": "RS256", "typ": "at+jwt", "kid": key.kid}
    return str(jwt.encode(header, claims, key, ["RS256"]))


class Administrator:
    """Calls endpoints by their path below `/api/v2`; `{}` in it are replaced by `parts`, quoted."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(
        self, method: str, path: str, *parts: str, body: Any = None, **query: Any
    ) -> httpx.Response:
        """The answer to a request with this JSON body and query."""
        quoted = (quote(part, safe="") for part in parts)
        content = {} if body is None else {"content": json.dumps(body)}
        url = f"/api/v2{path.format(*quoted)}"
        return await self._client.request(
            method, url, headers=self._headers, params=query, **content
        )

    async def get(self, path: str, *parts: str, **query: Any) -> Any:
        """What a GET brings."""
        response = await self.call("GET", path, *parts, **query)
        assert response.status_code == 200, response.text
        return response.json()


def admin_of(visitor: Visitor, *scopes: str) -> Administrator:
    """An application with these scopes; without any, with all."""
    key, now = visitor.signing_key(), visitor.clock()
    token = administrator_token(key, now, scopes) if scopes else administrator_token(key, now)
    return Administrator(visitor.application, token)
