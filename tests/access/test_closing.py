"""What the tabs of a session do when it ends."""

from __future__ import annotations

import asyncio

from .conftest import OpenTab, Walked, connected_after
from .raw_tab import STATE, RawTab

APP = f"{STATE}.access_app___access_app____"
AUTH_STATE = f"{STATE}.access_app___auth___reflex___state____auth_state"
TABS = 200


async def test_many_tabs(walked: Walked, tab: OpenTab) -> None:
    """All tabs of a session that ends come back by themselves, as nobody's; another user's events
    are answered meanwhile."""
    handle = await walked.person("many")
    other = await tab(await walked.person("other"))
    tabs = [RawTab(walked.url, handle) for _ in range(TABS)]
    for each in tabs:
        await each.open()
    await tabs[0].send(f"{APP}guarded.write", {"text": "of-the-many"})
    await tabs[0].settle()
    for each in tabs:
        each.heard.clear()
    await walked.log_out(handle)
    answered = 0
    while any(each.connections < 2 for each in tabs):
        await other.settle()
        answered += 1
    await asyncio.gather(*(each.settle() for each in tabs))
    assert answered
    assert other.connections == 1
    assert {each.connections for each in tabs} == {2}
    assert not any(each.hears("of-the-many") for each in tabs)
    users = [[value for _, name, value in each.values() if name == "user"] for each in tabs]
    assert all(set(each) <= {None} for each in users)
    await asyncio.gather(*(each.close() for each in tabs))


async def test_event_of_a_session_that_is_over(walked: Walked, tab: OpenTab) -> None:
    """An event that arrives when its session is over is not run, and the tab says so when it is
    back; an event of the page's own making (a refresh) says nothing."""
    said = "What you did last was not carried out"
    for name, is_told in ((f"{APP}guarded.write", True), (f"{APP}open.say", True), (None, False)):
        handle = await walked.person("over")
        user = await tab(handle)
        before = walked.lines()
        await walked.end(handle)
        if name:
            await user.send(name, {"text": "too-late"})
        await user.settle()
        assert user.connections == 2
        assert walked.lines() == before
        assert user.hears(said) == is_told
        assert not user.hears("too-late")


async def test_event_that_the_page_held_back(walked: Walked, tab: OpenTab) -> None:
    """What a page sends after a reconnect, before it has the state of the next login, was meant for
    the one before: it is not run for the next user, who is told."""
    user = await tab(await walked.person("before"))
    kept = {
        f"{AUTH_STATE}.login_tag_rx_state_": value
        for _, name, value in user.values()
        if name == "login_tag"
    }
    await user.close()
    following = await connected_after(walked, user, "after")
    before = walked.lines()
    told = following.expect("What you did last was not carried out")
    await following.send(f"{STATE}.hydrate_and_load", {"vars": kept})
    await following.send(f"{APP}guarded.write", {"text": "held-back"})
    await told
    assert walked.lines() == before
    await following.send(f"{APP}guarded.write", {"text": "of-the-next"})
    await following.settle()
    assert walked.lines() == [*before, "write of-the-next"]
    await following.close()
