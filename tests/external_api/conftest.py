"""The API, with the real tenant behind it and a clock for both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import Key

from app.external_api import ApiSettings, create_api

from ..flow.world import OTHER_AUDIENCE, Network
from ..local_tenant.visitor import Visitor

IDENTITY = "openid profile email offline_access"


@dataclass
class Caller:
    """An application that calls the API; `network` is what lies between API and tenant."""

    visitor: Visitor
    network: Network
    http: httpx.AsyncClient

    async def token(self, scope: str = f"{IDENTITY} read:messages") -> str:
        """A good access token."""
        tokens = await self.visitor.tokens(audience=OTHER_AUDIENCE, scope=scope)
        return str(tokens["access_token"])

    async def forged(
        self, *, key: Key | None = None, header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """A good token's claims with some replaced (None leaves one out), signed anew; by default
        with the tenant's own key."""
        good = await self.visitor.decoded(await self.token())
        changed = {n: v for n, v in {**good.claims, **claims}.items() if v is not None}
        head = {n: v for n, v in {**good.header, **(header or {})}.items() if v is not None}
        return jwt.encode(head, changed, key or self.visitor.signing_key(), [head["alg"]])

    async def call(self, token: str, path: str = "/api/external") -> httpx.Response:
        """The API's answer to a token."""
        return await self.http.get(path, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    """Somebody who has not called yet."""
    visitor = Visitor(tmp_path)
    network = Network(visitor.tenant)
    api = create_api(
        ApiSettings(), client=httpx.AsyncClient(transport=network), clock=visitor.clock
    )
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4401") as http:
        yield Caller(visitor, network, http)
