"""Rules and checks, without anything around them."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from app.auth import (
    Check,
    Principal,
    any_of,
    authenticated_within,
    claim,
    has_role,
    has_scope,
    member_of,
    verified_email,
)
from app.auth.access.checks import as_check
from app.auth.access.policy import PUBLIC, SIGNED_IN, Denial, Rule, decide

NOW = 1_000_000.0
USER: dict[str, Any] = {
    "sub": "ann",
    "roles": ["reader"],
    "plan": "paid",
    "email_verified": True,
    "org_id": "org_1",
    "org_name": "acme",
}
ANN = Principal(USER, frozenset({"openid", "read:messages"}), NOW - 100, NOW)


def fails(_: Principal) -> bool:
    raise RuntimeError("no answer")


def owns(viewer: Principal, state: object, order_id: str) -> bool:
    return (state, order_id) == ("state", "1")


async def owns_async(viewer: Principal, *, order_id: str, role: str = "admin") -> bool:
    return (order_id, role) == ("1", "admin")


async def later(viewer: Principal) -> bool:
    return viewer.user["sub"] == "ann"


@pytest.mark.parametrize(
    ("check", "is_met"),
    [
        (has_scope("read:messages"), True),
        (has_scope("openid read:messages"), True),
        (has_scope("openid write:messages"), False),
        (has_role("reader"), True),
        (has_role("admin"), False),
        (has_role("reader", name="https://example.com/roles"), False),
        (claim("plan", "paid"), True),
        (claim("plan", "free"), False),
        (member_of("org_1"), True),
        (member_of("org_2"), False),
        (member_of("Acme"), True),
        (member_of("other"), False),
        (verified_email(), True),
        (authenticated_within(100), True),
        (authenticated_within(99), False),
        (any_of(has_role("admin"), later), True),
        (any_of(fails, has_role("admin")), False),
        (any_of(fails, has_role("reader")), True),
        (as_check(later), True),
        (as_check(fails), False),
        (Check("truthy", lambda _: "yes"), False),  # type: ignore[arg-type,return-value]
    ],
    ids=lambda value: value.name if isinstance(value, Check) else str(value),
)
async def test_check(check: Check, is_met: bool) -> None:
    """Each check is met by whom it is for; one that raises or does not answer True is not."""
    decision = await decide(Rule(checks=(check,)), ANN)
    assert (decision.denial is None) == is_met


async def test_every_check_counts() -> None:
    """Of several checks each has to be met; the first that is not is named."""
    rule = Rule(checks=(has_role("reader"), has_role("admin"), as_check(fails)))
    decision = await decide(rule, ANN)
    assert (decision.denial, decision.check) == (Denial.FORBIDDEN, "role admin")


@pytest.mark.parametrize("rule", [SIGNED_IN, Rule(checks=(as_check(later),))])
async def test_nobody(rule: Rule) -> None:
    """Who is not signed in has to log in, whatever the checks would say."""
    assert (await decide(rule, None)).denial is Denial.LOGIN_REQUIRED
    assert (await decide(PUBLIC, None)).denial is None


async def test_step_up() -> None:
    """A login that is too old, or for no organization, can be helped by another one."""
    old = await decide(Rule(checks=(authenticated_within(60),)), ANN)
    assert (old.denial, old.login_parameters) == (Denial.STEP_UP_REQUIRED, {"max_age": "60"})
    other = await decide(Rule(checks=(member_of("org_2"),)), ANN)
    assert other.login_parameters == {"organization": "org_2"}


@pytest.mark.parametrize("verified", [False, None, "true", 1])
async def test_mail_is_not_verified(verified: object) -> None:
    """Only True is verified."""
    viewer = Principal({**USER, "email_verified": verified}, frozenset(), NOW, NOW)
    assert (await decide(Rule(checks=(verified_email(),)), viewer)).denial is Denial.FORBIDDEN


def test_keys_of_rules() -> None:
    """Two rules that mean the same have one key, in every process, and two that do not have two,
    though their checks have the same name."""
    by_mail = as_check(lambda viewer: "email" in viewer.user)
    by_name = as_check(lambda viewer: "name" in viewer.user)
    checks = (has_role("admin"), has_role("admin", name="groups"), by_mail, by_name)
    keys = [Rule(checks=(check,)).key for check in checks]
    assert len({*keys, SIGNED_IN.key, PUBLIC.key}) == 6
    assert Rule(checks=(has_role("admin"),)).key == keys[0]


@pytest.mark.parametrize(
    ("check", "is_met"),
    [
        (as_check(owns), True),
        (Check("own", owns), True),
        (as_check(owns_async), True),
        (as_check(functools.partial(owns, state="other")), False),
        (any_of(fails, owns), True),
        (any_of(has_role("admin"), any_of(owns_async)), True),
        (as_check(lambda viewer, missing: True), False),
        (
            Check(
                "named", lambda viewer, **more: more == {"order_id": "1"}, parameters=("order_id",)
            ),
            True,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Check) else str(value),
)
async def test_arguments(check: Check, is_met: bool) -> None:
    """A check gets the arguments that it takes by their names, and what it has a default for it
    keeps; without them it is not met."""

    async def given() -> dict[str, Any]:
        return {"state": "state", "order_id": "1", "role": "reader", "viewer": "x"}

    rule = Rule(checks=(check,))
    assert ((await decide(rule, ANN, given)).denial is None) == is_met
    assert (await decide(rule, ANN)).denial is Denial.FORBIDDEN


async def test_arguments_are_not_made_in_vain() -> None:
    """Arguments are converted for a check that takes some, once those before it are met."""

    async def given() -> dict[str, Any]:
        raise AssertionError("no check needs them")

    reader, admin = has_role("reader"), has_role("admin")
    assert (await decide(Rule(checks=(reader,)), ANN, given)).denial is None
    decision = await decide(Rule(checks=(admin, as_check(owns))), ANN, given)
    assert decision.check == "role admin"


async def test_log_of_a_check_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """A client that makes a check raise again and again does not fill the log."""

    def raises_always(viewer: Principal) -> bool:
        raise KeyError("no such order")

    for _ in range(100):
        await decide(Rule(checks=(as_check(raises_always),)), ANN)
    assert 1 <= caplog.text.count("'raises_always' raised") <= 2


def test_names() -> None:
    """The name of a check that takes arguments says which."""
    assert as_check(owns).name == "owns(state, order_id)"
    assert any_of(has_role("admin"), owns_async).name == "role admin or owns_async(order_id)"
