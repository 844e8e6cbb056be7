"""Uploads, which come by a request and not by the websocket."""

from __future__ import annotations

import httpx
import pytest

from ..cookies import session_cookie
from .conftest import OpenTab, Walked
from .raw_tab import STATE, RawTab

APP = f"{STATE}.access_app___access_app____"


async def upload(
    walked: Walked, tab: RawTab, handle: str | None, name: str = "guarded.take"
) -> httpx.Response:
    """Send a file to a handler of a tab, with the cookie of a session or without."""
    headers = {
        "Reflex-Client-Token": tab.token,
        "Reflex-Event-Handler": f"{APP}{name}",
        **({"Cookie": f"{session_cookie(walked.url)}={handle}"} if handle else {}),
    }
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(
            f"{walked.url}/_upload", files={"files": b"content"}, headers=headers
        )


@pytest.mark.parametrize("who", ["nobody", "another user"])
async def test_upload_with_a_stolen_tab_token(walked: Walked, tab: OpenTab, who: str) -> None:
    """A file for somebody else's tab is refused, also while that tab is open."""
    victim = await tab(await walked.person("vic", name="Vic"))
    handle = None if who == "nobody" else await walked.person("thief", name="Thief")
    before = walked.lines()
    assert (await upload(walked, victim, handle)).status_code == 403
    await victim.settle()
    assert walked.lines() == before


async def test_upload(walked: Walked, tab: OpenTab) -> None:
    """A user's own file arrives; nobody's does not."""
    handle = await walked.person("ann", name="Ann")
    own, visitor = await tab(handle), await tab()
    before = walked.lines()
    assert (await upload(walked, own, handle)).status_code == 200
    assert walked.lines() == [*before, "take 7"]
    await upload(walked, visitor, None)
    await visitor.settle()
    assert walked.lines() == [*before, "take 7"]


async def test_answer_to_an_upload(walked: Walked, tab: OpenTab) -> None:
    """What an upload's handler changes comes back in the answer to it: what the user may see, and
    of the rest the default."""
    handle = await walked.person("ann", name="Ann")
    own = await tab(handle)
    answer = (await upload(walked, own, handle, "mixed.fill_from")).text
    assert '"title_rx_state_":"content"' in answer.replace(" ", "")
    assert '"salary_rx_state_":"0"' in answer.replace(" ", "")
    assert not own.hears('"salary_rx_state_":"content"')
