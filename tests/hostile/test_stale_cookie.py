"""A login with the cookie of a session that is over, at a provider that may send no `auth_time`."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from app.auth.session import Lifetimes, hash_session_id

from ..flow.world import Clock
from .provider import ABSENT, HostileProvider
from .relying_party import APP, RelyingParty
from .test_authorization_response import refused

COOKIE = "auth_session_3000"


@pytest.fixture
def timeless(provider: HostileProvider) -> None:
    """The provider never says when its user logged in."""
    provider.bend.claims = lambda old: {**old, "auth_time": ABSENT}


async def max_age(party: RelyingParty) -> str | None:
    """What a login asks for."""
    location = (await party.begin()).headers["location"]
    return parse_qs(urlsplit(location).query).get("max_age", [None])[0]


@pytest.mark.usefixtures("timeless")
async def test_idle_session(party: RelyingParty, clock: Clock) -> None:
    """After days without use, a login asks for no password, and succeeds without `auth_time`."""
    await party.log_in()
    clock.now += Lifetimes().idle
    assert party.browser.cookies[COOKIE]
    assert await max_age(party) is None
    assert (await party.log_in()).code is None


@pytest.mark.usefixtures("timeless")
@pytest.mark.parametrize("cookie", ["A" * 43, "-_" * 21 + "x"])
async def test_foreign_cookie(party: RelyingParty, cookie: str) -> None:
    """A session cookie that was never one of this app asks for nothing."""
    party.browser.cookies.set(COOKIE, cookie, domain="localhost.local")
    assert await max_age(party) is None
    assert (await party.log_in()).code is None


@pytest.mark.usefixtures("timeless")
async def test_refused_refresh_token(
    party: RelyingParty, provider: HostileProvider, clock: Clock
) -> None:
    """A session whose refresh token was refused is over; the next login goes on without
    questions, if the provider asks none."""
    await party.log_in()
    provider._grants.clear()
    clock.now += 3600
    with pytest.raises(Exception, match="no longer honours"):
        await party.access_token()
    assert await max_age(party) is None
    assert (await party.log_in()).code is None


async def end_from_elsewhere(party: RelyingParty, provider: HostileProvider) -> None:
    """The provider ends the session."""
    assert (await party.post_logout_token(provider.logout_token())).status_code == 200
    assert await party.session() is None


@pytest.mark.parametrize("local", ["1", ""])
async def test_logout_after_that(
    party: RelyingParty, provider: HostileProvider, local: str
) -> None:
    """A logout of a session that was ended from elsewhere is no way around the password."""
    await party.log_in()
    await end_from_elsewhere(party, provider)
    await party.browser.post(
        f"{APP}/auth/logout", headers={"Origin": APP}, data={"local": local, "return_to": "/"}
    )
    assert await max_age(party) == "0"
    assert (await party.log_in()).code is None  # with the password, all is well
    await party.log_out()
    assert COOKIE not in party.browser.cookies
    assert await max_age(party) is None


async def test_step_up_begun_before_that(party: RelyingParty, provider: HostileProvider) -> None:
    """A login that began in a session which was then ended from elsewhere does not complete, with
    or without the cookie of the session. The next one takes the password."""
    for is_dropped in (False, True):
        await party.log_in()
        response = await party.begin("return_to=/profile&acr_values=urn:x")
        answer = await party.browser.get(response.headers["location"])
        await end_from_elsewhere(party, provider)
        cookie = party.browser.cookies[COOKIE]
        if is_dropped:
            party.browser.cookies.delete(COOKIE)
        ended = await party.browser.get(answer.headers["location"])
        assert parse_qs(urlsplit(ended.headers["location"]).query)["code"] == ["invalid_state"]
        assert await party.session() is None
        party.browser.cookies.set(COOKIE, cookie, domain="localhost.local")
        assert await max_age(party) == "0"


async def test_ended_from_elsewhere(party: RelyingParty, provider: HostileProvider) -> None:
    """A session that was ended from elsewhere takes the password, for as long as its cookie may
    live; then the browser is as any other."""
    await party.log_in()
    await end_from_elsewhere(party, provider)
    party.clock.now += Lifetimes().absolute - 10
    assert await max_age(party) == "0"
    party.clock.now += 10
    assert await max_age(party) is None


async def test_declined_after_an_end(party: RelyingParty, provider: HostileProvider) -> None:
    """No way around the password: neither declining to enter it, nor a login that does not ask,
    nor an old callback takes away the cookie by which it is asked for."""
    await party.log_in()
    await end_from_elsewhere(party, provider)
    straight, provider.bend.authorization_response = (
        provider.bend.authorization_response,
        refused("access_denied"),
    )
    assert (await party.log_in()).code == "access_denied"
    assert await max_age(party) == "0"
    provider.bend.authorization_response = refused("login_required")
    assert (await party.log_in("prompt=none")).code is None
    assert await max_age(party) == "0"
    await party.browser.get(f"{APP}/auth/callback?code=x&state=y")
    assert await max_age(party) == "0"
    provider.bend.authorization_response = straight
    assert (await party.log_in()).session is not None


async def test_refused_after_an_end(party: RelyingParty, provider: HostileProvider) -> None:
    """If the provider refuses to ask for the password, the next login asks for none."""
    await party.log_in()
    await end_from_elsewhere(party, provider)
    provider.bend.authorization_response = refused("invalid_request")
    assert (await party.log_in()).code == "invalid_request"
    assert await max_age(party) is None


@pytest.mark.usefixtures("timeless")
async def test_no_time_after_an_end(party: RelyingParty, provider: HostileProvider) -> None:
    """Without `auth_time` such a login cannot be verified; it takes the cookie away, so that the
    next one can."""
    await party.log_in()
    await end_from_elsewhere(party, provider)
    assert (await party.log_in()).code == "invalid_id_token"
    assert COOKIE not in party.browser.cookies
    assert (await party.log_in()).code is None


async def test_failed_login_keeps_a_session(party: RelyingParty, provider: HostileProvider) -> None:
    """A login that fails takes no cookie away whose session exists: neither a callback that was
    never begun, nor one that the provider refuses."""
    await party.log_in()
    answer = await party.browser.get(f"{APP}/auth/callback?code=x&state=y")
    assert "set-cookie" not in answer.headers
    provider.bend.claims = lambda old: {**old, "nonce": "another"}
    assert (await party.log_in()).code == "invalid_id_token"
    assert await party.session() is not None


async def test_callback_with_a_stale_cookie(party: RelyingParty, clock: Clock) -> None:
    """A callback that was never begun takes the cookie of an expired session away."""
    await party.log_in()
    clock.now += Lifetimes().idle
    await party.browser.get(f"{APP}/auth/callback?code=x&state=y")
    assert COOKIE not in party.browser.cookies


@pytest.mark.parametrize("value", [True, "soon", None, [1], float("1e15")])
async def test_session_expiry_that_is_none(
    party: RelyingParty, provider: HostileProvider, value: object
) -> None:
    """A `session_expiry` that is not a time is refused, since the session could outlive it."""
    provider.bend.claims = lambda old: {**old, "session_expiry": value}
    assert (await party.log_in()).code == "invalid_id_token"


async def test_session_expiry_that_is_over(
    party: RelyingParty, provider: HostileProvider, clock: Clock
) -> None:
    """A login whose session would be over at once fails, and does not go round in circles."""
    provider.bend.claims = lambda old: {**old, "session_expiry": int(clock())}
    assert (await party.log_in()).code == "invalid_id_token"


async def test_session_expiry(party: RelyingParty, provider: HostileProvider, clock: Clock) -> None:
    """A session ends when the provider says so, however much it is used, and the claim is not
    shown to the app."""
    provider.bend.claims = lambda old: {**old, "session_expiry": int(clock()) + 1000}
    login = await party.log_in()
    assert login.code is None
    assert "session_expiry" not in login.user
    clock.now += 999
    await party.store.touch(hash_session_id(party.browser.cookies[COOKIE]))
    assert await party.session()
    clock.now += 1
    assert await party.session() is None
