"""A client by hand walks every handler and variable, as everybody that it could be."""

from __future__ import annotations

import httpx
import pytest

from app.auth import has_role
from app.auth.core.access import Rule

from .conftest import OpenTab, Walked, connected_after
from .raw_tab import STATE, RawTab, opened_under_its_token

APP = f"{STATE}.access_app___access_app____"
SIGNED_IN = [
    *("guarded.write", "guarded.write_async", "guarded.write_slowly", "guarded.write_later"),
    *("guarded.undecorated", "guarded.set_secret", "mixed.fill"),
]
PUBLIC = ["guarded.open_door"]
ADMIN = ["open.administer", "admin.plan_something"]
SCOPE = ["mixed.read"]
RECENT = ["mixed.pay"]
NOBODY = ["mixed.broken"]
ALL = [*SIGNED_IN, *PUBLIC, *ADMIN, *SCOPE, *RECENT, *NOBODY]


async def those_that_ran(walked: Walked, tab: RawTab) -> set[str]:
    """Call every handler; the ones that said that they have run."""
    before = len(walked.lines())
    for name in ALL:
        await tab.send(f"{APP}{name}", {"text": name})
    await tab.settle()
    return {line.partition(" ")[2] for line in walked.lines()[before:]}


async def test_anonymous(walked: Walked, tab: OpenTab) -> None:
    """Who is not signed in runs what is public, and is sent to log in for the rest."""
    visitor = await tab()
    assert await those_that_ran(walked, visitor) == set(PUBLIC)
    assert any("/auth/login" in frame for frame in visitor.heard)


async def test_user(walked: Walked, tab: OpenTab) -> None:
    """A user without further rights runs what is for users, and is told about the rest."""
    user = await tab(await walked.person("ann", name="Ann"))
    assert await those_that_ran(walked, user) == {*SIGNED_IN, *PUBLIC, *RECENT}
    assert any("You may not do this." in frame for frame in user.heard)


async def test_rights(walked: Walked, tab: OpenTab) -> None:
    """A role, a scope, and a login that is not recent count for what they are asked for."""
    handle = await walked.person(
        "eve", name="Eve", roles=["admin"], scope="openid read:messages", age=61
    )
    admin = await tab(handle)
    assert await those_that_ran(walked, admin) == {*SIGNED_IN, *PUBLIC, *ADMIN, *SCOPE}
    assert any("max_age=60" in frame for frame in admin.heard)


async def test_each_of_several_checks(walked: Walked, tab: OpenTab) -> None:
    """Of two checks one is not enough: this administrator has no name."""
    nameless = await tab(await walked.person("nil", roles=["admin"]))
    assert "admin.plan_something" not in await those_that_ran(walked, nameless)


async def test_ended_session(walked: Walked, tab: OpenTab) -> None:
    """From the moment it was ended elsewhere, a session runs nothing more."""
    handle = await walked.person("ann", name="Ann")
    user = await tab(handle)
    await walked.end(handle)
    assert await those_that_ran(walked, user) == set(PUBLIC)


@pytest.mark.parametrize("name", ["guarded.write", "guarded.write_later"])
async def test_chained(walked: Walked, tab: OpenTab, name: str) -> None:
    """A public handler that starts a guarded one opens no way round."""
    visitor = await tab()
    before = walked.lines()
    await visitor.send(f"{APP}open.chain", {"text": name})
    await visitor.settle()
    await visitor.settle()
    assert walked.lines() == before


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
    assert not hears(following, "of-ann")


async def test_variable_of_a_public_state(walked: Walked, tab: OpenTab) -> None:
    """What one user leaves in a guarded variable of a State that is for everybody does not pass on
    to the next one."""
    user = await tab(await walked.person("ann", name="Ann"))
    await user.send(f"{APP}forum.keep", {"text": "draft-of-ann"})
    await user.settle()
    assert hears(user, '"loud_draft_rx_state_":"draft-of-ann"')
    await user.close()
    handle = await walked.person("bea", name="Bea")
    following = await opened_under_its_token(lambda: RawTab(walked.url, handle, token=user.token))
    await following.close()
    assert not hears(following, "draft-of-ann")
    assert hears(following, '"draft_rx_state_":"empty"')
    assert hears(following, '"loud_draft_rx_state_":"empty"')


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
    assert hears(user, "hidden-of-ann")
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
    assert not hears(following, "hidden-of-ann")


FORGED = [
    {"router_data": {"pathname": "/guarded", "asPath": "/guarded"}},
    {"router_data": {"headers": {"cookie": "auth_session=x"}, "pathname": "/"}},
    {"token": "somebody-else's"},
    {"substate_token": "somebody-else's"},
    {"user": {"sub": "ann"}},
    {"is_authenticated": True},
]


@pytest.mark.parametrize("forged", FORGED)
async def test_forged(walked: Walked, tab: OpenTab, forged: dict[str, object]) -> None:
    """Nothing that a client says about itself makes it anybody."""
    visitor = await tab()
    before = walked.lines()
    await visitor.send(f"{APP}guarded.write", {"text": "forged"}, **forged)
    await visitor.send(f"{APP}guarded.setvar", {"var_name": "secret", "value": "forged"})
    await visitor.send(f"{APP}guarded.write", {"text": "forged", "self": "x", "user": "ann"})
    await visitor.settle()
    assert walked.lines() == before


VALUES = {"guarded": "guarded.write", "mixed": "mixed.fill", "admin": "admin.plan_something"}


async def fill(walked: Walked, tab: RawTab, text: str) -> None:
    """Give each variable a value that can be looked for."""
    for name in VALUES.values():
        await tab.send(f"{APP}{name}", {"text": text})
    await tab.settle()


def hears(tab: RawTab, text: str) -> bool:
    """Whether a value has reached this tab, in whatever letters."""
    return any(text.lower() in frame.lower() for frame in tab.heard)


async def test_own_values(walked: Walked, tab: OpenTab) -> None:
    """Who may see a variable sees it."""
    admin = await tab(await walked.person("adm", name="Adm", roles=["admin"]))
    await fill(walked, admin, "visible-1")
    for variable in ("secret", "loud", "plan", "salary", "title"):
        assert any(f'"{variable}_rx_state_":"visible-1"' in f.lower() for f in admin.heard), (
            variable
        )


async def test_single_variable(walked: Walked, tab: OpenTab) -> None:
    """One variable of a State may be for fewer people than the others: it stays what it was."""
    user = await tab(await walked.person("ann", name="Ann"))
    await user.send(f"{APP}mixed.fill", {"text": "title-only"})
    await user.settle()
    frames = [frame for frame in user.heard if "title-only" in frame]
    assert frames
    assert all('"salary_rx_state_":"0"' in frame for frame in frames)
    assert all('"title_rx_state_":"title-only"' in frame for frame in frames)


async def test_use_keeps_a_session(walked: Walked, tab: OpenTab) -> None:
    """An event counts as a use of the session, so that it does not end as one that is idle; it is
    noted only once in a while."""
    user = await tab(await walked.person("busy", name="Busy"))

    async def written(text: str) -> None:
        heard = user.expect(f'"secret_rx_state_":"{text}"')
        await user.send(f"{APP}guarded.write", {"text": text})
        await heard

    seen = await walked.last_seen("busy")
    with walked.ahead(59):
        await written("y")
    assert await walked.last_seen("busy") == seen
    with walked.ahead(61):
        await written("z")
    assert await walked.last_seen("busy") > seen + 60


async def test_withheld_when_the_session_ends(walked: Walked, tab: OpenTab) -> None:
    """Once the session has ended, the next frame puts every guarded variable back to its default,
    and no later frame holds a value of the one who has gone."""
    handle = await walked.person("gone", name="Gone", roles=["admin"])
    user = await tab(handle)
    await fill(walked, user, "leaving-1")
    assert hears(user, "leaving-1")
    await walked.end(handle)
    user.heard.clear()
    await user.settle()
    assert not hears(user, "leaving-1")
    frames = "".join(user.heard)
    for variable, default in (("secret", "nothing"), ("loud", "NOTHING"), ("plan", "none")):
        assert f'"{variable}_rx_state_":"{default}"' in frames, variable


@pytest.mark.parametrize("who", ["nobody", "another user"])
async def test_stolen_tab_token(walked: Walked, tab: OpenTab, who: str) -> None:
    """A tab's token, which stands in URLs, shows its thief nothing, whoever the thief is."""
    victim = await tab(await walked.person("vic", name="Vic", roles=["admin"]))
    await fill(walked, victim, "victims-own")
    assert hears(victim, "victims-own")
    await victim.close()
    handle = None if who == "nobody" else await walked.person("thief", name="Thief")
    thief = await tab(handle, token=victim.token)
    await thief.send(f"{STATE}.hydrate", {})
    await thief.settle()
    assert not hears(thief, "victims-own")


async def upload(
    walked: Walked, tab: RawTab, handle: str | None, name: str = "guarded.take"
) -> httpx.Response:
    """Send a file to a handler of a tab, with the cookie of a session or without."""
    headers = {
        "Reflex-Client-Token": tab.token,
        "Reflex-Event-Handler": f"{APP}{name}",
        **({"Cookie": f"auth_session={handle}"} if handle else {}),
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
    assert not any('"salary_rx_state_":"content"' in frame for frame in own.heard)
