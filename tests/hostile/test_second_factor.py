"""What a provider says about how the user logged in, and what a link asks for."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from app.auth.access.checks import authenticated_within
from app.auth.access.policy import Rule, decide_for
from app.auth.oidc.authentication import MULTI_FACTOR

from ..flow.world import Clock
from .provider import ABSENT, HostileProvider
from .relying_party import RelyingParty

WANTED = f"return_to=/profile&acr_values={quote(MULTI_FACTOR, safe='')}"

SHAPES: dict[str, dict[str, Any]] = {
    "none": {},
    "another acr": {"acr": "urn:bronze"},
    "acr is a list": {"acr": [MULTI_FACTOR]},
    "acr is a number": {"acr": 2},
    "acr has several": {"acr": f"urn:x {MULTI_FACTOR}"},
    "acr is huge": {"acr": MULTI_FACTOR * 100},
    "amr is a text": {"amr": "mfa"},
    "amr has objects": {"amr": ["mfa", {"mfa": True}]},
    "amr is huge": {"amr": ["mfa"] * 1_000},
    "amr is a password": {"amr": ["pwd", "pwd"]},
    "amr is one factor": {"amr": ["otp"]},
}


@pytest.mark.parametrize("claims", SHAPES.values(), ids=SHAPES)
async def test_not_done(
    party: RelyingParty, provider: HostileProvider, claims: dict[str, Any]
) -> None:
    """An ID token that does not say that the request was met is refused where a link requested it.
    The session that was there stays as it was. Without the request, it is a login, about which
    nothing is kept but what has the right shape."""
    before = (await party.log_in()).session
    provider.bend.claims = lambda fields: {**fields, **claims}
    outcome = await party.log_in(WANTED)
    assert outcome.code == "acr_not_met"
    assert outcome.session == before
    plain = await party.log_in()
    assert plain.session is not None
    assert plain.session.acr in (None, claims.get("acr"))
    assert all(isinstance(method, str) for method in plain.session.amr)
    assert not {"acr", "amr", "auth_time"} & plain.user.keys()


@pytest.mark.parametrize(
    "claims", [{"acr": MULTI_FACTOR}, {"amr": ["mfa"]}, {"acr": 7, "amr": ["pwd", "sms"]}]
)
async def test_done(party: RelyingParty, provider: HostileProvider, claims: dict[str, Any]) -> None:
    """One that says so by `acr` or `amr` is accepted."""
    provider.bend.claims = lambda fields: {**fields, **claims}
    outcome = await party.log_in(WANTED)
    assert outcome.code is None
    assert outcome.session is not None


@pytest.mark.parametrize("value", ["a%00b", "a%0d%0aSet-Cookie:x", "%20", "x" * 1001, "%C3%A9"])
async def test_forged_link(party: RelyingParty, value: str) -> None:
    """A link with `acr_values` that are no values begins no login."""
    outcome = await party.log_in(f"acr_values={value}")
    assert outcome.code == "invalid_login_link"


async def test_forged_link_with_other_values(party: RelyingParty) -> None:
    """A link with values that the provider does not know ends on the error page, which has what a
    new attempt needs; it gives nobody a second factor."""
    response = await party.begin("return_to=//evil.example&acr_values=urn:forged")
    while "/error?" not in response.headers["location"]:
        response = await party.browser.get(response.headers["location"])
    query = parse_qs(urlsplit(response.headers["location"]).query)
    assert (query["return_to"], query["acr_values"]) == (["/"], ["urn:forged"])
    assert await party.session() is None


async def test_refreshed(party: RelyingParty, provider: HostileProvider) -> None:
    """A refreshed ID token of the same login may say more, or something else; what it leaves out or
    misshapes stays."""
    provider.bend.claims = lambda fields: {**fields, "acr": "urn:bronze", "amr": ["pwd"]}
    await party.log_in()
    for claims, expected in (
        ({"acr": ABSENT, "amr": [1]}, ("urn:bronze", ("pwd",))),
        ({"acr": "urn:gold", "amr": ["pwd", "otp"]}, ("urn:gold", ("pwd", "otp"))),
        ({"acr": "urn:bronze", "amr": ABSENT}, ("urn:bronze", ("pwd", "otp"))),
    ):
        provider.bend.refresh_claims = lambda fields, claims=claims: {**fields, **claims}
        party.clock.now += 100_000
        await party.access_token()
        session = await party.session()
        assert session is not None
        assert (session.acr, session.amr) == expected


@pytest.mark.parametrize("query", ["return_to=/profile", "prompt=none"])
async def test_login_that_asks_nothing(
    party: RelyingParty, provider: HostileProvider, clock: Clock, query: str
) -> None:
    """At a provider that says when its user logged in only if it is asked (as Auth0 does), another
    login in the same browser, for which the user may have done nothing, counts as no step-up."""
    recent = Rule(checks=(authenticated_within(60),))
    provider.bend.claims = lambda fields: {**fields, "auth_time": ABSENT}
    first = (await party.log_in()).session
    assert (await decide_for(recent, first, clock)).denial is None
    clock.now += 61
    again = (await party.log_in(query)).session
    assert (await decide_for(recent, again, clock)).denial == "step_up_required"
    provider.bend.claims = lambda fields: {**fields, "auth_time": int(clock())}
    stepped_up = (await party.log_in("max_age=60")).session
    assert (await decide_for(recent, stepped_up, clock)).denial is None


async def test_silent_login_is_no_step_up(
    party: RelyingParty, provider: HostileProvider, clock: Clock
) -> None:
    """Nor does a silent login of a browser that had no session."""
    provider.bend.claims = lambda fields: {**fields, "auth_time": ABSENT}
    session = (await party.log_in("prompt=none")).session
    assert session is not None
    decision = await decide_for(Rule(checks=(authenticated_within(60),)), session, clock)
    assert decision.denial == "step_up_required"
