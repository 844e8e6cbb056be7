"""Pages of another origin that is the same site, to which browsers send the session cookie."""

from __future__ import annotations

import httpx
import pytest

from ..cookies import session_cookie
from .conftest import Walked

SIBLING = "http://localhost:5999"


@pytest.mark.parametrize("path", ["/auth/profile", "/ping", "/_upload"])
async def test_answers_are_not_shared(walked: Walked, path: str) -> None:
    """A page of another port may not read an answer, though `rxconfig.py` does not say so."""
    handle = await walked.person("read-by-a-sibling")
    headers = {"Cookie": f"{session_cookie(walked.url)}={handle}", "X-CSRF": "1"}
    async with httpx.AsyncClient(trust_env=False, base_url=walked.url) as http:
        shared = await http.get(path, headers={**headers, "Origin": SIBLING})
        own = await http.get(path, headers={**headers, "Origin": walked.url})
        asks = {"Origin": SIBLING, "Access-Control-Request-Method": "GET"}
        preflight = await http.options(
            path, headers={**asks, "Access-Control-Request-Headers": "x-csrf"}
        )
    assert "access-control-allow-origin" not in shared.headers
    assert "access-control-allow-origin" not in preflight.headers
    assert own.headers["access-control-allow-origin"] == walked.url
