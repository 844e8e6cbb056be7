"""Checks of how the user logged in."""

from __future__ import annotations

import pytest

from app.auth import Check, Principal, acr, authenticated_within, second_factor
from app.auth.access.policy import Denial, Rule, decide
from app.auth.oidc.authentication import MULTI_FACTOR

NOW = 1_800_000_000.0


def principal(acr: str | None = None, *amr: str, age: float = 0.0) -> Principal:
    """A user who logged in in this way, so many seconds ago."""
    return Principal({"sub": "ann"}, frozenset(), NOW - age, NOW, acr=acr, amr=amr)


@pytest.mark.parametrize(
    ("check", "user"),
    [
        (second_factor(), principal(MULTI_FACTOR)),
        (second_factor(), principal(None, "pwd", "otp")),
        (second_factor("urn:2fa"), principal("urn:2fa")),
        (second_factor("urn:2fa"), principal(None, "mfa")),
        (acr("gold", "silver"), principal("silver")),
    ],
)
async def test_met(check: Check, user: Principal) -> None:
    """The login that the check asks for meets it."""
    assert (await decide(Rule(checks=(check,)), user)).denial is None


@pytest.mark.parametrize(
    ("check", "user", "acr_values"),
    [
        (second_factor(), principal(None, "pwd"), MULTI_FACTOR),
        (second_factor("urn:2fa urn:3fa"), principal("urn:1fa"), "urn:2fa urn:3fa"),
        (acr("gold", "silver"), principal("bronze", "mfa"), "gold silver"),
        (acr("gold"), principal(), "gold"),
    ],
)
async def test_step_up(check: Check, user: Principal, acr_values: str) -> None:
    """A user who lacks it is sent to the login that has it."""
    decision = await decide(Rule(checks=(check,)), user)
    assert decision.denial is Denial.STEP_UP_REQUIRED
    assert decision.login_parameters == {"acr_values": acr_values}


async def test_one_login_for_several_checks() -> None:
    """A rule with two checks that a login can meet asks for both at once: else the login for the
    one could undo that for the other."""
    rule = Rule(checks=(authenticated_within(60), second_factor()))
    both = {"max_age": "60", "acr_values": MULTI_FACTOR}
    for user in (principal("x", age=99), principal(MULTI_FACTOR, age=99), principal("x")):
        assert (await decide(rule, user)).login_parameters == both


def test_without_values() -> None:
    """A check that asks for nothing is a mistake."""
    for make in (acr, lambda: acr(" "), lambda: second_factor("")):
        with pytest.raises(ValueError, match="acr_values"):
            make()


def test_names() -> None:
    """The surface report says what is asked for."""
    rule = Rule(checks=(second_factor(), second_factor("urn:2fa"), acr("gold", "silver")))
    assert (
        str(rule) == "signed in and second factor and second factor (urn:2fa) and acr gold silver"
    )
    keys = {Rule(checks=(each,)).key for each in rule.checks}
    assert len(keys) == 3
