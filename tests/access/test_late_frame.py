"""What a handler still sends after its tab's connection has become another's."""

from __future__ import annotations

import asyncio

import pytest

from .conftest import OpenTab, Walked
from .raw_tab import STATE, RawTab, opened_under_its_token

APP = f"{STATE}.access_app___access_app____"


async def left_at_work(walked: Walked, tab: OpenTab, handler: str, text: str) -> RawTab:
    """The closed tab of a user whose handler waits until `text` is released."""
    victim = await tab(await walked.person("vic", name="Vic"))
    begun = victim.expect(f"begun-{text}")
    await victim.send(f"{APP}{handler}", {"text": text})
    await begun
    await victim.close()
    return victim


@pytest.mark.parametrize("who", ["nobody", "another user"])
async def test_handler_that_outlives_its_connection(walked: Walked, tab: OpenTab, who: str) -> None:
    """What a handler wrote for a user does not reach the connection that has taken over the tab
    while the handler waited."""
    helper = await tab()
    victim = await left_at_work(walked, tab, "guarded.write_held", "of-the-victim")
    await helper.settle()
    handle = None if who == "nobody" else await walked.person("next", name="Next")
    following = RawTab(walked.url, handle, token=victim.token)
    opening = asyncio.create_task(following.open())
    for _ in range(20):
        await helper.settle()
    await helper.send(f"{APP}open.release", {"text": "of-the-victim"})
    await opening
    await following.settle()
    await following.close()
    assert not following.is_renamed
    assert not following.hears("of-the-victim")


async def test_handler_that_outlives_its_session(walked: Walked, tab: OpenTab) -> None:
    """What a handler still writes when its user has logged out elsewhere meanwhile is not shown to
    whoever sits before the tab."""
    helper = await tab()
    handle = await walked.person("leaver", name="Leaver")
    user = await tab(handle)
    begun = user.expect("begun-of-the-leaver")
    await user.send(f"{APP}guarded.write_held", {"text": "of-the-leaver"})
    await begun
    await walked.end(handle)
    user.heard.clear()
    await helper.send(f"{APP}open.release", {"text": "of-the-leaver"})
    await user.settle()
    assert user.heard
    assert not user.hears("of-the-leaver")


async def test_change_from_outside(walked: Walked, tab: OpenTab) -> None:
    """What changes a tab from outside of its events is for the user whose states they are, though
    all may see it: not for the visitor who has just taken over the tab."""
    helper = await tab()
    victim = await tab(await walked.person("vic", name="Vic"))
    told = victim.expect("told-the-victim")
    await helper.send(f"{APP}open.mark_tab", {"token": victim.tree, "text": "told-the-victim"})
    await told
    await victim.close()
    nobody = await opened_under_its_token(
        lambda: RawTab(walked.url, token=victim.token), RawTab.connect
    )
    await helper.send(f"{APP}open.mark_tab", {"token": victim.tree, "text": "told-too-late"})
    await helper.settle()
    assert not nobody.hears("told-too-late")
    await nobody.close()


async def test_handler_for_everybody(walked: Walked, tab: OpenTab) -> None:
    """A background handler that is for everybody belongs to the login that it began under, too: the
    next user of the tab sees neither its variables nor its messages."""
    helper = await tab()
    victim = await left_at_work(walked, tab, "open.tell_held", "for-all")
    handle = await walked.person("next", name="Next")
    following = await opened_under_its_token(lambda: RawTab(walked.url, handle, token=victim.token))
    await helper.send(f"{APP}open.release", {"text": "for-all"})
    for _ in range(20):
        await helper.settle()
    await following.settle()
    await following.close()
    assert not following.hears("for-all")


async def test_log_of_what_reaches_nobody(walked: Walked, tab: OpenTab) -> None:
    """Handlers that go on after their tabs have gone fill no log."""
    helper = await tab()
    said = "Attempting to send delta to disconnected client"
    before = walked.server.log.read_text().count(said)
    for number in range(20):
        text = f"unheard-{number}"
        await left_at_work(walked, tab, "open.tell_held", text)
        await helper.send(f"{APP}open.release", {"text": text})
    for _ in range(20):
        await helper.settle()
    assert walked.server.log.read_text().count(said) - before <= 3
