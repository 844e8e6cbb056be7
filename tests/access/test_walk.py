"""A client by hand walks every handler and variable, as everybody that it could be."""

from __future__ import annotations

import pytest

from app.auth.session import Lifetimes

from .conftest import OpenTab, Walked
from .raw_tab import STATE, RawTab

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
    assert visitor.hears("/auth/login")


async def test_user(walked: Walked, tab: OpenTab) -> None:
    """A user without further rights runs what is for users, and is told about the rest."""
    user = await tab(await walked.person("ann", name="Ann"))
    assert await those_that_ran(walked, user) == {*SIGNED_IN, *PUBLIC, *RECENT}
    assert user.hears("You may not do this.")


async def test_rights(walked: Walked, tab: OpenTab) -> None:
    """A role, a scope, and a login that is not recent count for what they are asked for."""
    handle = await walked.person(
        "eve", name="Eve", roles=["admin"], scope="openid read:messages", age=61
    )
    admin = await tab(handle)
    assert await those_that_ran(walked, admin) == {*SIGNED_IN, *PUBLIC, *ADMIN, *SCOPE}
    assert admin.hears("max_age=60")


async def test_each_of_several_checks(walked: Walked, tab: OpenTab) -> None:
    """Of two checks one is not enough: this administrator has no name."""
    nameless = await tab(await walked.person("nil", roles=["admin"]))
    assert "admin.plan_something" not in await those_that_ran(walked, nameless)


async def test_ended_session(walked: Walked, tab: OpenTab) -> None:
    """From the moment it was ended elsewhere, a session runs nothing more."""
    handle = await walked.person("ann", name="Ann")
    user = await tab(handle)
    await walked.end(handle)
    assert await those_that_ran(walked, user) <= set(PUBLIC)
    assert await those_that_ran(walked, user) == set(PUBLIC)
    assert user.connections == 2


@pytest.mark.parametrize("name", ["guarded.write", "guarded.write_later"])
async def test_chained(walked: Walked, tab: OpenTab, name: str) -> None:
    """A public handler that starts a guarded one opens no way round."""
    visitor = await tab()
    before = walked.lines()
    await visitor.send(f"{APP}open.chain", {"text": name})
    await visitor.settle()
    await visitor.settle()
    assert walked.lines() == before


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
    noted only once in a while, and then the tab is told when the session ends now."""
    user = await tab(await walked.person("busy", name="Busy"))

    async def written(text: str) -> None:
        heard = user.expect(f'"secret_rx_state_":"{text}"')
        await user.send(f"{APP}guarded.write", {"text": text})
        await heard

    def told() -> list[int]:
        return [value for _, name, value in user.values() if name == "expires_at"]

    seen = await walked.last_seen("busy")
    (first,) = told()
    assert first == int(seen + Lifetimes().idle)
    with walked.ahead(59):
        await written("y")
    assert await walked.last_seen("busy") == seen
    assert told() == [first]
    with walked.ahead(61):
        await written("z")
    assert await walked.last_seen("busy") > seen + 60
    assert set(told()) == {first, int(await walked.last_seen("busy") + Lifetimes().idle)}


async def test_withheld_when_the_session_ends(walked: Walked, tab: OpenTab) -> None:
    """Once the session has ended, the next frame puts every guarded variable back to its default,
    and no later frame holds a value of the one who has gone."""
    handle = await walked.person("gone", name="Gone", roles=["admin"])
    user = await tab(handle)
    await fill(walked, user, "leaving-1")
    assert user.hears("leaving-1")
    await walked.end(handle)
    user.heard.clear()
    await user.settle()
    assert not user.hears("leaving-1")
    frames = "".join(user.heard)
    for variable, default in (("secret", "nothing"), ("loud", "NOTHING"), ("plan", "none")):
        assert f'"{variable}_rx_state_":"{default}"' in frames, variable


@pytest.mark.parametrize("who", ["nobody", "another user"])
async def test_stolen_tab_token(walked: Walked, tab: OpenTab, who: str) -> None:
    """A tab's token, which stands in URLs, shows its thief nothing, whoever the thief is."""
    victim = await tab(await walked.person("vic", name="Vic", roles=["admin"]))
    await fill(walked, victim, "victims-own")
    assert victim.hears("victims-own")
    await victim.close()
    handle = None if who == "nobody" else await walked.person("thief", name="Thief")
    thief = await tab(handle, token=victim.token)
    await thief.send(f"{STATE}.hydrate", {})
    await thief.settle()
    assert not thief.hears("victims-own")
