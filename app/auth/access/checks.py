"""The checks that come with the layer, and `any_of` to combine them."""

from __future__ import annotations

from typing import Any

from ..oidc.authentication import MULTI_FACTOR, is_multi_factor
from .policy import Check, Predicate, Principal, Rule, decide


def as_check(predicate: Predicate | Check) -> Check:
    """Wrap a function of a `Principal`, sync or async. A `Check` is returned unchanged."""
    if isinstance(predicate, Check):
        return predicate
    return Check(getattr(predicate, "__name__", "check"), predicate)


def has_scope(scope: str) -> Check:
    """The access tokens of the session have all of these scopes (space-separated)."""
    wanted = frozenset(scope.split())
    return Check(f"scope {scope}", lambda viewer: wanted <= viewer.scopes)


def claim(name: str, value: Any) -> Check:
    """The user's claim equals this value, or is a list that contains it."""

    def allows(viewer: Principal) -> bool:
        held = viewer.user.get(name)
        return held == value or (isinstance(held, list) and value in held)

    return Check(f"{name} {value}", allows)


def has_role(role: str, *, name: str = "roles") -> Check:
    """The claim `name` contains the role. At Auth0 it is a custom claim, such as
    `https://example.com/roles`."""
    where = "" if name == "roles" else f" in {name}"
    return Check(f"role {role}{where}", claim(name, role).allows)


def member_of(organization: str) -> Check:
    """The user logged in for this organization, given by id or name (Auth0's `org_id` and
    `org_name`)."""
    name = "org_id" if organization.startswith("org_") else "org_name"
    # Auth0 sends names of organizations in lower case.
    wanted = organization if name == "org_id" else organization.lower()
    return Check(
        f"member of {organization}",
        lambda viewer: viewer.user.get(name) == wanted,
        {"organization": organization},
    )


def verified_email() -> Check:
    """The provider has verified the e-mail address: the claim `email_verified` is true (OpenID
    Connect Core section 5.1)."""
    return Check("verified e-mail", lambda viewer: viewer.user.get("email_verified") is True)


def authenticated_within(seconds: int) -> Check:
    """The user authenticated at the provider at most so many seconds ago; else the user logs in
    again (step-up, by `max_age` of OpenID Connect Core section 3.1.2.1)."""
    return Check(
        f"authenticated within {seconds} s",
        lambda viewer: viewer.now - viewer.auth_time <= seconds,
        {"max_age": str(seconds)},
    )


def second_factor(acr_values: str = MULTI_FACTOR) -> Check:
    """The user logged in with a second factor; else the user logs in with one (step-up, by
    `acr_values` of OpenID Connect Core section 3.1.2.1).

    The ID token says so by `acr`, which is one of `acr_values` (space-separated) or Auth0's value
    for it, or by `amr` (RFC 8176): it has `mfa`, or `pwd` beside another kind of factor, such as
    `otp`, `sms` or `hwk`. `acr_values` is what the provider calls such a login. The login that asks
    for it fails (`AcrNotMet`) unless the new ID token has one of them; where Auth0's is among them,
    `amr` may say it instead.

    Raises `ValueError` if `acr_values` is empty.
    """
    values = _values(acr_values)
    name = "second factor" if acr_values == MULTI_FACTOR else f"second factor ({acr_values})"
    return Check(
        name,
        lambda viewer: viewer.acr in values or is_multi_factor(viewer.acr, viewer.amr),
        {"acr_values": acr_values},
    )


def acr(*values: str) -> Check:
    """The user logged in with one of these authentication context classes, the claim `acr` of the
    ID token; else the user logs in with one, in this order of preference (step-up).

    Raises `ValueError` without values.
    """
    acr_values = " ".join(values)
    wanted = _values(acr_values)
    return Check(
        f"acr {acr_values}", lambda viewer: viewer.acr in wanted, {"acr_values": acr_values}
    )


def _values(acr_values: str) -> frozenset[str]:
    values = frozenset(acr_values.split())
    if not values:
        raise ValueError("acr_values is empty.")
    return values


def any_of(*predicates: Predicate | Check) -> Check:
    """At least one check is met. The others may fail or raise."""
    checks = [as_check(predicate) for predicate in predicates]

    async def allows(viewer: Principal) -> bool:
        for check in checks:
            if (await decide(Rule(checks=(check,)), viewer)).denial is None:
                return True
        return False

    return Check(" or ".join(check.name for check in checks), allows)
