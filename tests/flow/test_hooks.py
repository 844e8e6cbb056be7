"""The app's own steps at a login, at new claims, and at a logout; and what happens if they fail."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.auth import (
    AuthError,
    Keep,
    LoggedIn,
    LoggingOut,
    PendingSession,
    Refuse,
    SessionEnded,
)
from app.auth.flows.refusals import LONGEST_REASON, Refusal
from app.auth.session import hash_session_id

from .test_claims import a_world, allows
from .world import APP, TENANT, World, error_code, key_of

MARKUP = "<script>alert(1)</script> & <b>you</b>\x00\u202e are not invited"


async def log_in(world: World, query: str = "return_to=/profile") -> httpx.Response:
    """A login by a link with this query; the result is the callback's answer, whose `request`
    belongs to a browser of its own."""
    browser = world.browser()
    begun = await browser.get(f"{APP}/auth/login?{query}")
    return await browser.get(await world.answer(browser, begun.headers["location"]))


async def sessions(world: World) -> int:
    """How many sessions there are."""
    return len(await world.store.find(sub="auth0|65a4f1c2d3e4b5a697887901"))


async def test_enriches(tmp_path: Path) -> None:
    """The hook sees all claims, the granted scopes by audience and the link's query. What it keeps
    is in the session; its data is nowhere in the browser."""
    seen: list[PendingSession] = []

    async def before_session(pending: PendingSession) -> Keep:
        seen.append(pending)
        claims = {"name": pending.claims["name"].upper(), "plan": "gold"}
        return Keep(claims, {"customer": 7, "secret": "server only"})

    async with a_world(tmp_path, before_session=before_session, public_claims=["plan"]) as world:
        browser = world.browser()
        await world.set_user(roles=["admin"])
        begun = await browser.get(f"{APP}/auth/login?return_to=/profile&invite=abc&prompt=login")
        await browser.get(await world.answer(browser, begun.headers["location"]))
        session = await world.session(browser)
        assert session
        (pending,) = seen
        assert pending.claims["roles"] == ["admin"]
        assert not pending.is_update
        assert set(pending.scopes) == {f"{TENANT}/api/v2/"}
        assert "read:current_user" in pending.scopes[f"{TENANT}/api/v2/"]
        assert pending.parameters == {"invite": "abc", "prompt": "login"}
        expected = {"sub": session.sub, "name": "ALICE LIDDELL", "plan": "gold"}
        assert session.user == expected
        assert session.data == {"customer": 7, "secret": "server only"}
        assert await world.profile(browser) == expected
        assert await allows(session, lambda viewer: viewer.data["customer"] == 7)


async def test_runs_at_an_update(tmp_path: Path) -> None:
    """What the hook made of the claims is not undone by a refresh: it runs again on the new claims,
    and keeps its data unless it returns others."""
    seen: list[PendingSession] = []

    async def before_session(pending: PendingSession) -> Keep:
        seen.append(pending)
        claims = {"roles": [f"app:{role}" for role in pending.claims["roles"]]}
        return Keep(claims) if pending.is_update else Keep(claims, {"logins": 1})

    async with a_world(tmp_path, before_session=before_session) as world:
        browser = world.browser()
        await world.set_user(roles=["admin"])
        await world.log_in(browser)
        same = await world.refresh(browser)
        assert (same.user["roles"], same.claims_version) == (["app:admin"], 0)
        await world.set_user(roles=["reader"])
        changed = await world.refresh(browser)
        assert (changed.user["roles"], changed.claims_version) == (["app:reader"], 1)
        assert changed.data == {"logins": 1}
        assert [each.is_update for each in seen] == [False, True, True]
        assert seen[2].data == {"logins": 1}
        assert seen[2].parameters == {}
        assert seen[2].claims["name"] == "Alice Liddell"


async def test_keeps_userinfo_beneath_the_hook(tmp_path: Path) -> None:
    """Where UserInfo says what is new, the hook gets what the provider says, not its own result."""

    async def before_session(pending: PendingSession) -> Keep:
        return Keep({"roles": [*pending.claims.get("roles", []), "member"]})

    async with a_world(tmp_path, before_session=before_session, id_token_on_refresh=False) as world:
        browser = world.browser()
        await world.set_user(roles=["admin"])
        await world.log_in(browser)
        session = await world.refresh(browser)
        assert session.user["roles"] == ["admin", "member"]
        await world.set_user(roles=[])
        session = await world.refresh(browser)
        assert session.user["roles"] == ["member"]


async def test_refuses_an_update(tmp_path: Path) -> None:
    """A hook that refuses new claims ends the session, and its refresh tokens are revoked."""

    async def before_session(pending: PendingSession) -> Refuse | None:
        return (
            Refuse("You have left.", "left") if "left" in pending.claims.get("roles", []) else None
        )

    async with a_world(tmp_path, before_session=before_session) as world, world.auth._lifespan():
        browser = world.browser()
        await world.log_in(browser)
        await world.set_user(roles=["left"])
        world.clock.now += 3601
        with pytest.raises(SessionEnded):
            await world.access_token(browser)
        assert await world.session(browser) is None
        kinds = [(entry.kind, entry.outcome, entry.reason) for entry in world.record]
        assert ("claims_updated", "denied", "left") in kinds
        assert ("session_revoked", "success", "hook") in kinds


async def test_fails_at_an_update(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A hook that fails at a refresh ends nothing: tokens are renewed and claims stay. At the next
    refresh it is asked again. The log has the exception and its id."""
    is_broken = False

    async def before_session(pending: PendingSession) -> None:
        if is_broken:
            raise OSError("the app's database is away")

    async with a_world(tmp_path, before_session=before_session) as world:
        browser = world.browser()
        await world.set_user(roles=["admin"])
        await world.log_in(browser)
        is_broken = True
        await world.set_user(roles=[])
        session = await world.refresh(browser)
        assert session.user["roles"] == ["admin"]
        (entry,) = (entry for entry in world.record if entry.kind == "claims_updated")
        assert (entry.outcome, entry.reason) == ("failure", "hook_failed")
        assert f"[{entry.error_id}] The hook before_session failed." in caplog.text
        assert "the app's database is away" in caplog.text
        is_broken = False
        assert (await world.refresh(browser)).user["roles"] == []


async def test_waits_for_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A hook that asks for a token of the session that is being refreshed fails at once: it would
    wait for itself for ever."""

    async def before_session(pending: PendingSession) -> None:
        if pending.is_update:
            async with world.auth.http_client_of(sub=pending.claims["sub"]) as http:
                await http.get("https://api.example.com/v1/x")

    async with a_world(tmp_path, before_session=before_session) as world:
        browser = world.browser()
        await world.log_in(browser)
        async with asyncio.timeout(10):
            await world.refresh(browser)
        assert "This session is being refreshed by the caller itself." in caplog.text


async def test_refuses(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A refused login leads to the error page with the app's code, and with its sentence sealed;
    there is no session, and the sentence is in no log."""

    async def before_session(pending: PendingSession) -> Refuse:
        return Refuse("Only members may log in.", "not_a_member")

    caplog.set_level(logging.DEBUG)
    async with a_world(tmp_path, before_session=before_session) as world:
        response = await log_in(world)
        assert error_code(response) == "not_a_member"
        assert "members" not in response.headers["location"]
        assert await sessions(world) == 0
        assert "auth_session_3000" not in response.headers.get_list("set-cookie")[0]
        entry = world.record[-1]
        assert (entry.kind, entry.outcome, entry.reason) == (
            "login_completed",
            "denied",
            "not_a_member",
        )
        assert entry.error_id == query(response)["id"]
        assert f"[{entry.error_id}]" in caplog.text
        assert "Only members" not in caplog.text


async def test_refuses_in_a_popup(tmp_path: Path) -> None:
    """A login in a window of its own ends on the popup's page, which shows the sentence as text; a
    silent one ends on the page that it began on."""

    async def before_session(pending: PendingSession) -> Refuse:
        return Refuse(MARKUP, "not_a_member")

    async with a_world(tmp_path, before_session=before_session) as world:
        browser = world.browser()
        begun = await browser.get(f"{APP}/auth/login?return_to=/x&display=popup")
        response = await browser.get(await world.answer(browser, begun.headers["location"]))
        page = await browser.get(response.headers["location"])
        assert "&lt;script&gt;alert(1)" in page.text
        assert "<script>alert" not in page.text
        assert query(response)["id"] in page.text
        async with world.browser() as stranger:
            shown = await stranger.get(response.headers["location"])
        assert "alert(1)" not in shown.text
        begun = await browser.get(f"{APP}/auth/login?return_to=/x&prompt=none")
        response = await browser.get(await world.answer(browser, begun.headers["location"]))
        assert response.headers["location"] == f"{APP}/x"


async def test_sentence_is_for_one_browser(tmp_path: Path) -> None:
    """The sealed sentence opens for the browser and the error that it belongs to, for ten minutes.
    A stranger can neither write one, nor move one to another person's browser."""

    async def before_session(pending: PendingSession) -> Refuse:
        return Refuse(MARKUP * 20)

    async with a_world(tmp_path, before_session=before_session) as world:
        response = await log_in(world)
        (cookie,) = (
            re.match(r"auth_browser_3000=([\w-]+);", each)
            for each in response.headers.get_list("set-cookie")
        )
        assert cookie
        browser, fields = hash_session_id(cookie[1]), query(response)
        refusals = world.auth._wiring.refusals
        opened = refusals.open(fields["reason"], browser, fields["id"])
        assert isinstance(opened, Refusal)
        assert opened.code == "login_refused"
        assert len(opened.reason) == LONGEST_REASON
        assert opened.reason.isprintable()
        assert opened.reason.startswith("<script>")  # plain text: the page escapes it
        stranger, sealed = hash_session_id("s" * 43), fields["reason"]
        assert refusals.open(sealed, stranger, fields["id"]) is None
        assert refusals.open(sealed, browser, "00000000") is None
        for text in ("", "x", "=", "é", "A" * 5000, sealed[:-2], sealed[:-2] + "AA", MARKUP):
            assert refusals.open(text, browser, fields["id"]) is None
        world.clock.now += 600
        assert refusals.open(sealed, browser, fields["id"]) is None


def query(response: httpx.Response) -> dict[str, str]:
    """The query of the error page."""
    found = parse_qs(urlsplit(response.headers["location"]).query)
    return {name: value for name, (value,) in found.items()}


async def raises(_: object) -> None:
    raise LookupError("the reason for the operator")


async def nothing(_: object) -> None:
    """Agree."""


async def other_sub(pending: PendingSession) -> Keep:
    return Keep({"sub": "auth0|mallory"})


async def no_json(pending: PendingSession) -> Keep:
    return Keep(data={"when": object()})


async def not_a_number(pending: PendingSession) -> Keep:
    return Keep({"score": float("nan")})


async def another_type(pending: PendingSession) -> Any:
    return {"name": "a dict"}


async def bad_code(pending: PendingSession) -> Refuse:
    return Refuse("why", "x&id=00000000")


def not_async(pending: PendingSession) -> None:
    """Not a coroutine function."""


FAILING: dict[str, dict[str, Callable[[Any], Any]]] = {
    "before_session raises": {"before_session": raises},
    "after_login raises": {"after_login": raises},
    "another sub": {"before_session": other_sub},
    "data that is no JSON": {"before_session": no_json},
    "a number that JSON lacks": {"before_session": not_a_number},
    "another type": {"before_session": another_type},
    "a code with markup": {"before_session": bad_code},
    "not async": {"before_session": not_async},
}


@pytest.mark.parametrize("hooks", FAILING.values(), ids=FAILING)
async def test_fails_at_a_login(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, hooks: dict[str, Any]
) -> None:
    """A hook that fails ends the login: no session, and one id on the page, in the log before the
    exception, and in the audit trail."""
    async with a_world(tmp_path, **hooks) as world:
        response = await log_in(world)
        assert error_code(response) == "hook_failed"
        assert await sessions(world) == 0
        error_id = query(response)["id"]
        assert re.search(rf"\[{error_id}\] The hook \w+ failed\.", caplog.text)
        entry = next(each for each in world.record if each.kind == "login_completed")
        assert (entry.outcome, entry.error_id) == ("failure", error_id)


async def test_a_failed_login_over_another(tmp_path: Path) -> None:
    """`after_login` fails where the browser had a session before: neither is left, nor a cookie.
    If `before_session` fails, the earlier session stays as it is."""
    hooks: dict[str, Callable[[Any], Awaitable[None]]] = {"before": nothing, "after": nothing}

    async def before_session(pending: PendingSession) -> None:
        await hooks["before"](pending)

    async def after_login(login: LoggedIn) -> None:
        await hooks["after"](login)

    async with (
        a_world(tmp_path, before_session=before_session, after_login=after_login) as world,
        world.auth._lifespan(),
    ):
        browser = world.browser()
        await world.log_in(browser)
        earlier = key_of(browser)
        hooks["before"] = raises
        assert error_code(await world.log_in(browser)) == "hook_failed"
        assert key_of(browser) == earlier
        assert await world.session(browser) is not None
        hooks.update(before=nothing, after=raises)
        assert error_code(await world.log_in(browser)) == "hook_failed"
        assert "auth_session_3000" not in browser.cookies
        assert await sessions(world) == 0


async def test_after_login(tmp_path: Path) -> None:
    """`after_login` is told of each login, once the session is stored."""
    seen: list[tuple[LoggedIn, int]] = []

    async def after_login(login: LoggedIn) -> None:
        seen.append((login, await sessions(world)))

    async with a_world(tmp_path, after_login=after_login) as world:
        browser = world.browser()
        await world.log_in(browser)
        await world.log_in(browser)
        assert [(each.is_renewed, count) for each, count in seen] == [(False, 1), (True, 1)]
        login = seen[0][0]
        assert (login.claims["nickname"], login.return_to) == ("alice", "/profile")
        devices = await world.auth.sessions.devices.of(key_of(browser))
        assert [device.id for device in devices] == [seen[1][0].session]


@pytest.mark.parametrize("hook", [nothing, raises], ids=["works", "fails"])
async def test_before_logout(tmp_path: Path, hook: Any) -> None:
    """`before_logout` is told of the session before it ends. If it fails, the session ends all the
    same, and the answer has the reference and a link that goes on to the provider."""
    seen: list[tuple[LoggingOut, int]] = []

    async def before_logout(logout: LoggingOut) -> None:
        seen.append((logout, await sessions(world)))
        await hook(logout)

    async with a_world(tmp_path, before_logout=before_logout) as world, world.auth._lifespan():
        browser = world.browser()
        await world.log_in(browser)
        answer = await browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
        ((logout, count),) = seen
        assert (logout.claims["nickname"], count) == ("alice", 1)
        assert await sessions(world) == 0
        assert "auth_session_3000" not in browser.cookies
        if hook is nothing:
            assert answer.status_code == 303
            return
        assert answer.status_code == 500
        (entry,) = (e for e in world.record if (e.kind, e.outcome) == ("logout", "failure"))
        assert entry.error_id
        assert entry.error_id in answer.text
        link = re.search(r'<a href="([^"]+)"', answer.text)
        assert link
        assert unescape(link[1]).startswith(f"{TENANT}/oidc/logout?")
        await browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
        assert len(seen) == 1  # nobody is logged in any more


LINKS = {
    "repeated": ("invite=a&invite=b", {"invite": "b"}),
    "long": (f"invite={'x' * 3000}&b=1", {}),
    "many": ("&".join(f"p{n}=1" for n in range(50)), {f"p{n}": "1" for n in range(20)}),
    "return paths": ("return_to=/a&target_link_uri=/b&invite=1", {"invite": "1"}),
    "markup": ("invite=%3Cscript%3E%00", {"invite": "<script>\x00"}),
}


@pytest.mark.parametrize(("text", "expected"), LINKS.values(), ids=LINKS)
async def test_parameters_of_the_link(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    """The hook gets the link's query as it is, bounded in number and length."""
    seen: list[PendingSession] = []

    async def before_session(pending: PendingSession) -> None:
        seen.append(pending)

    async with a_world(tmp_path, before_session=before_session) as world:
        await log_in(world, text)
        assert seen[0].parameters == expected


async def test_protocol_claims_of_a_hook(tmp_path: Path) -> None:
    """A hook cannot add claims that are about the token, such as the strength of the login."""

    async def before_session(pending: PendingSession) -> Keep:
        return Keep({**pending.claims, "acr": "high", "amr": ["mfa"], "sid": "x", "auth_time": 0})

    async with a_world(tmp_path, before_session=before_session) as world:
        browser = world.browser()
        await world.log_in(browser)
        session = await world.session(browser)
        assert session
        assert not {"acr", "amr", "sid", "auth_time"} & session.user.keys()
        assert session.sid != "x"


def test_error_is_an_auth_error() -> None:
    """Both errors of hooks are in the tree of errors, with stable codes."""
    assert [e.code for e in AuthError.__subclasses__() if e.__name__ == "HookError"] == [
        "hook_failed"
    ]
