"""Two apps on one machine, in one browser, which sends each its cookies and the other's."""

from __future__ import annotations

import httpx
import pytest

from ..cookies import session_cookie
from .conftest import Walked, running


async def test_log_out_of_one(walked: Walked, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Who logs out of one app is still logged in to the other."""
    with running(tmp_path_factory.mktemp("other"), limits="off") as other:
        apps = (walked, other)
        async with httpx.AsyncClient(trust_env=False) as browser:
            for app in apps:
                session_id = await app.person("ann")
                browser.cookies.set(session_cookie(app.url), session_id, domain="localhost.local")
            assert [await status(browser, app) for app in apps] == [200, 200]
            await browser.post(f"{other.url}/auth/logout", headers={"Origin": other.url})
            assert [await status(browser, app) for app in apps] == [200, 401]


async def status(browser: httpx.AsyncClient, app: Walked) -> int:
    """Of what the app says about its user."""
    return (await browser.get(f"{app.url}/auth/profile", headers={"X-CSRF": "1"})).status_code
