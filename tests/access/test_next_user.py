"""What one user of a tab leaves in it, and the next one finds."""

from __future__ import annotations

from app.auth import has_role
from app.auth.core.access import Rule

from .conftest import OpenTab, Walked, connected_after
from .raw_tab import STATE, RawTab, opened_under_its_token

APP = f"{STATE}.access_app___access_app____"
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
AUTH_STATE = f"{STATE}.access_app___auth___ui___state____auth_state"


async def entering(tab: RawTab) -> dict[str, str]:
    """What the tab was told last of the pages with checks that it has been to."""
    await tab.settle()
    return [value for _, name, value in tab.values() if name == "entered"][-1]


async def test_page_with_a_check(walked: Walked, tab: OpenTab) -> None:
    """What a tab shows of a page that is for some is decided anew when its user changes."""
    admin = await tab(await walked.person("ann", roles=["admin"]))
    await admin.send(f"{AUTH_STATE}.enter", {"rule": ADMINS})
    assert await entering(admin) == {ADMINS: "allowed"}
    await admin.close()
    other = await connected_after(walked, admin, "bea")
    assert await entering(other) == {ADMINS: "forbidden"}
    await other.close()
    again = await connected_after(walked, other, "cid", roles=["admin"])
    assert await entering(again) == {ADMINS: "allowed"}
    await again.close()


async def test_page_that_there_is_not(walked: Walked, tab: OpenTab) -> None:
    """A client that claims to be on pages that the app does not have is not remembered for it."""
    user = await tab(await walked.person("ann", roles=["admin"]))
    for rule in ("made-up", "", ADMINS):
        await user.send(f"{AUTH_STATE}.enter", {"rule": rule})
    assert await entering(user) == {ADMINS: "allowed"}


async def test_variable_that_is_not_declared(walked: Walked, tab: OpenTab) -> None:
    """What a handler keeps for a user in a name that its State does not declare does not pass on to
    the next one, who has been here in another tab, and does not load the page in this one."""
    user = await tab(await walked.person("ann", name="Ann"))
    await user.send(f"{APP}guarded.hide", {"text": "hidden-of-ann"})
    await user.send(f"{APP}guarded.reveal", {})
    await user.settle()
    assert user.hears("hidden-of-ann")
    await user.close()
    handle = await walked.person("bea", name="Bea")
    await tab(handle)
    following = await opened_under_its_token(
        lambda: RawTab(walked.url, handle, token=user.token), RawTab.connect
    )
    await following.send(f"{APP}guarded.reveal", {})
    await following.settle()
    await following.load()
    await following.close()
    assert walked.lines()[-1] == "reveal"
    assert not following.hears("hidden-of-ann")
