"""What the tenant says about itself: metadata and keys."""

from __future__ import annotations

import httpx
import pytest

from ..flow.world import TENANT
from .visitor import Visitor


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server"])
async def test_metadata(visitor: Visitor, name: str) -> None:
    """Both metadata documents name the issuer, with its slash, and endpoints below it."""
    document = (await visitor.application.get(f"/.well-known/{name}")).json()
    assert document["issuer"] == f"{TENANT}/"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is False
    endpoints = {value for key, value in document.items() if key.endswith(("endpoint", "_uri"))}
    assert len(endpoints) == 9
    assert all(url.startswith(f"{TENANT}/") for url in endpoints)


async def test_keys(visitor: Visitor) -> None:
    """The key set has one RSA signing key with a kid, and nothing that is private."""
    (key,) = (await visitor.application.get("/.well-known/jwks.json")).json()["keys"]
    assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
    assert key["kid"]
    assert not {"d", "p", "q", "dp", "dq", "qi"} & key.keys()


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:4400", 200), ("localhost:4400", 200), ("evil.example:4400", 400), ("", 400)],
)
async def test_host(visitor: Visitor, host: str, status: int) -> None:
    """A request for another host name is refused (DNS rebinding)."""
    response = await visitor.application.get("/dashboard", headers={"Host": host})
    assert response.status_code == status


@pytest.mark.parametrize(
    "path", ["/oauth/token", "/oauth/revoke", "/u/login", "/dashboard/users/x"]
)
async def test_large_body(visitor: Visitor, path: str) -> None:
    """A body over 64 KiB is answered with 413, announced or not."""
    for body in (b"x=" + b"y" * 70_000, _parts()):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        response = await visitor.application.post(path, content=body, headers=form)
        assert response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
        assert "larger than 64 KiB" in response.text


async def _parts():  # type: ignore[no-untyped-def]  # noqa: ANN202
    for _ in range(70):
        yield b"y" * 1000
