"""How long a browser, or a cache that many share, may keep a response of the backend."""

from __future__ import annotations

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.auth.http.caching import with_cache_control

FOR_A_YEAR = "public, max-age=31536000, immutable"
HASHED = "root-DJ4e5V4A.js"


async def cache_control(
    path: str, *, assets_path: str = "/assets/", status: int = 200, **headers: str
) -> str | None:
    """The `Cache-Control` of a response that has an `ETag` and these headers."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        response = Response(status_code=status, headers={"ETag": '"1"', **fields})
        await response(scope, receive, with_cache_control(send, scope["path"], assets_path))

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        value = (await client.get(path)).headers.get("cache-control")
    return None if value is None else str(value)


@pytest.mark.parametrize("status", [200, 206, 304])
async def test_file_with_a_hash(status: int) -> None:
    """A file of the build with a hash in its name is kept for a year, below the app's path, too."""
    assert await cache_control(f"/assets/{HASHED}", status=status) == FOR_A_YEAR
    below = await cache_control(
        f"/shop/assets/{HASHED}", assets_path="/shop/assets/", status=status
    )
    assert below == FOR_A_YEAR


@pytest.mark.parametrize(
    "path",
    [
        "/api/assets/bill-20260101.pdf",
        "/_upload/assets/bill-20260101.pdf",
        "/assets/alice/bill-20260101.pdf",
        "/assets%2Falice/bill-20260101.pdf",
        "/other/assets/root-DJ4e5V4A.js",
        "/assets/../bill-20260101.pdf",
        "/assets/root-DJ4e5V4A.js%0A",
        "/assets/root-DJ4e5V4A.js/",
        "/assets/root.js",
        "/assets/",
        "/profile",
    ],
)
async def test_another_path_is_not_public(path: str) -> None:
    """A response that may be one user's is not public, however much its name looks like a file of
    the build."""
    assert await cache_control(path) == "no-cache"


@pytest.mark.parametrize("status", [301, 401, 403, 404, 500])
async def test_failure_is_not_kept(status: int) -> None:
    """What is not the file itself is not kept for a year."""
    assert await cache_control(f"/assets/{HASHED}", status=status) == "no-cache"


async def test_own_cache_control() -> None:
    """A response that says how long it may be kept is left as it is."""
    assert await cache_control(f"/assets/{HASHED}", cache_control="no-store") == "no-store"
