"""What one user of a tab leaves in it, and the next one finds."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from app.auth import has_role
from app.auth.access.policy import Rule

from .conftest import OpenTab, Walked, connected_after
from .raw_tab import STATE, RawTab, opened_under_its_token

APP = f"{STATE}.access_app___access_app____"
PLACES = f"{STATE}.access_app___hiding_places____"
DYNAMIC = f"{STATE}.reflex___istate___dynamic____"
MADE = {"add": f"{DYNAMIC}tally_n1.add", "keep": f"{DYNAMIC}local.keep"}


async def test_made_by_reflex(walked: Walked, tab: OpenTab) -> None:
    """A State that Reflex makes of a component, or that is defined in a function, is as guarded as
    any other, and what it holds does not pass on to the next user."""
    visitor = await tab()
    before = len(walked.lines())
    for name in MADE.values():
        await visitor.send(name, {"text": "of-nobody"})
    await visitor.settle()
    assert walked.lines()[before:] == []
    user = await tab(await walked.person("ann", name="Ann"))
    for name in MADE.values():
        await user.send(name, {"text": "of-ann"})
    await user.settle()
    assert walked.lines()[before:] == ["add of-ann", "keep of-ann"]
    await user.close()
    handle = await walked.person("bea", name="Bea")
    following = await opened_under_its_token(lambda: RawTab(walked.url, handle, token=user.token))
    await following.close()
    assert not following.hears("of-ann")


async def test_variable_of_a_public_state(walked: Walked, tab: OpenTab) -> None:
    """What one user leaves in a guarded variable of a State that is for everybody does not pass on
    to the next one."""
    user = await tab(await walked.person("ann", name="Ann"))
    await user.send(f"{APP}forum.keep", {"text": "draft-of-ann"})
    await user.settle()
    assert user.hears('"loud_draft_rx_state_":"draft-of-ann"')
    await user.close()
    handle = await walked.person("bea", name="Bea")
    following = await opened_under_its_token(lambda: RawTab(walked.url, handle, token=user.token))
    await following.close()
    assert not following.hears("draft-of-ann")
    assert following.hears('"draft_rx_state_":"empty"')
    assert following.hears('"loud_draft_rx_state_":"empty"')


ADMINS = Rule(checks=(has_role("admin"),)).key
AUTH_STATE = f"{STATE}.access_app___auth___reflex___state____auth_state"


async def page_access(tab: RawTab) -> dict[str, str]:
    """What the tab was told last of the pages with checks that it has been to."""
    await tab.settle()
    return [value for _, name, value in tab.values() if name == "page_access"][-1]


async def test_page_with_a_check(walked: Walked, tab: OpenTab) -> None:
    """What a tab shows of a page that has checks is decided when its user changes; where no user is
    signed in, nothing of it is said."""
    admin = await tab(await walked.person("ann", roles=["admin"]))
    await admin.send(f"{AUTH_STATE}.authorize_page", {"rule": ADMINS})
    assert await page_access(admin) == {ADMINS: "allowed"}
    await admin.close()
    nobody = await opened_under_its_token(lambda: RawTab(walked.url, token=admin.token))
    assert await page_access(nobody) == {}
    await nobody.close()
    other = await connected_after(walked, nobody, "bea")
    await other.load()
    assert await page_access(other) == {ADMINS: "forbidden"}
    await other.close()
    again = await connected_after(walked, other, "cid", roles=["admin"])
    await again.load()
    assert await page_access(again) == {ADMINS: "allowed"}
    await again.close()


async def test_page_that_there_is_not(walked: Walked, tab: OpenTab) -> None:
    """A client that claims to be on pages that the app does not have, or on none, is not remembered
    for it."""
    user = await tab(await walked.person("ann", roles=["admin"]))
    logged = walked.server.log.read_text().count("Traceback")
    for rule in ("made-up", "", {"not": "a text"}, ["neither"], ADMINS):
        await user.send(f"{AUTH_STATE}.authorize_page", {"rule": rule})
    assert await page_access(user) == {ADMINS: "allowed"}
    assert walked.server.log.read_text().count("Traceback") == logged


async def test_names_that_are_not_declared(walked: Walked, tab: OpenTab) -> None:
    """What a handler keeps for a user where its State declares nothing (a private name, a slot)
    does not pass on to the next one, who has been here in another tab, and does not load the page
    in this one."""
    user = await tab(await walked.person("ann", name="Ann"))
    await user.send(f"{PLACES}kept.keep", {"text": "of-ann"})
    await user.send(f"{PLACES}slotted.stow", {"text": "of-ann"})
    for handler in ("kept.show", "slotted.tell"):
        await user.send(f"{PLACES}{handler}", {})
    await user.settle()
    assert user.hears('"name: of-ann."')
    assert user.hears('"slot: of-ann."')
    await user.close()
    handle = await walked.person("bea", name="Bea")
    await tab(handle)
    following = await opened_under_its_token(
        lambda: RawTab(walked.url, handle, token=user.token), RawTab.connect
    )
    for handler in ("kept.show", "slotted.tell"):
        await following.send(f"{PLACES}{handler}", {})
    await following.settle()
    await following.close()
    assert following.hears('"name: ."')
    assert following.hears('"slot: ."')


async def test_variable_of_the_backend(walked: Walked, tab: OpenTab) -> None:
    """A variable that no browser is told of can be kept for some, too, in a State that is for
    everybody: a handler of the next user finds it empty."""
    user = await tab(await walked.person("ann", name="Ann"))
    await user.send(f"{PLACES}board.pin", {"text": "of-ann"})
    await user.settle()
    await user.close()
    following = await connected_after(walked, user, "bea")
    await following.send(f"{PLACES}board.look", {})
    await following.settle()
    await following.close()
    assert following.hears('"note: ."')


@pytest.mark.parametrize("event", [{}, {"router_data": {}}, {"router_data": {"pathname": "/"}}])
@pytest.mark.parametrize("handler", [f"{AUTH_STATE}.refresh", f"{STATE}.hydrate_and_load"])
async def test_page_of_the_user_before(
    walked: Walked, tab: OpenTab, handler: str, event: dict[str, object]
) -> None:
    """Who takes over a tab is not told which page it was on, whatever they leave out."""
    user = await tab(await walked.person("ann", name="Ann"))
    at = {"pathname": "/guarded", "asPath": "/guarded?invoice=of-ann"}
    await user.send(f"{AUTH_STATE}.refresh", {}, router_data=at)
    await user.close()
    nobody = await opened_under_its_token(
        lambda: RawTab(walked.url, token=user.token), RawTab.connect
    )
    await nobody.emit({"name": handler, "payload": {}, **event})
    await nobody.settle()
    await nobody.close()
    assert not nobody.hears("of-ann")


@pytest.mark.parametrize("who", ["nobody", "somebody"])
@pytest.mark.parametrize("token", ["lobby", "", "../lobby"])
async def test_token_that_is_no_tabs(walked: Walked, who: str, token: str) -> None:
    """Whoever gives the name of what several tabs share for a tab's token, is not let in: it would
    be all theirs."""
    handle = await walked.person("eve") if who == "somebody" else None
    outsider = RawTab(walked.url, handle)
    outsider.token = token
    with pytest.raises(InvalidStatus, match="403"):
        await outsider.connect()
