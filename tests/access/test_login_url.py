"""The login link that a tab shows."""

from __future__ import annotations

from .conftest import OpenTab


async def test_follows_the_tab(tab: OpenTab) -> None:
    """It comes back to the page that the tab is on now, also after a navigation within the app."""
    nobody = await tab()
    await nobody.settle()
    links = [value for _, name, value in nobody.values() if name == "login_url"]
    first, *_, last = [link.partition("?return_to=")[2] for link in links]
    assert first == "%2F"
    assert last.startswith("%2Fsettled-")
