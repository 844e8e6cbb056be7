"""The checks that come with the layer, and `any_of` to combine them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..oidc.authentication import MULTI_FACTOR, is_multi_factor
from .policy import Check, Principal, Requirement, Rule, decide, further_parameters


def as_check(predicate: Requirement) -> Check:
    """Wrap a function of a `Principal`, sync or async. A `Check` is returned unchanged."""
    if isinstance(predicate, Check):
        return predicate
    name = getattr(predicate, "__name__", "check")
    parameters = further_parameters(predicate)
    return Check(f"{name}({', '.join(parameters)})" if parameters else name, predicate)


def rule_of(predicates: Iterable[Requirement]) -> Rule:
    """The rule that every one of these checks is met."""
    return Rule(checks=tuple(as_check(predicate) for predicate in predicates))


def has_scope(scope: str, audience: str | None = None) -> Check:
    """The access tokens of the session have all of these scopes (space-separated): those for all
    APIs together or, with `audience`, the one for that API."""
    wanted = frozenset(scope.split())
    if audience is None:
        return Check(f"scope {scope}", lambda viewer: wanted <= viewer.scopes)
    return Check(
        f"scope {scope} for {audience}",
        lambda viewer: wanted <= viewer.scopes_by_audience.get(audience, frozenset()),
    )


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


def logged_in_with(provider: str) -> Check:
    """The session is of this one of several providers; else the user logs in there, which ends the
    other session. A claim means what its provider means by it: where one of them lets anybody be
    `admin`, put this beside `has_role("admin")`."""
    return Check(
        f"logged in with {provider}",
        lambda viewer: viewer.provider == provider,
        {"provider": provider},
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


def any_of(*predicates: Requirement) -> Check:
    """At least one check is met. The others may fail or raise."""
    checks = [as_check(predicate) for predicate in predicates]
    parameters = dict.fromkeys(name for check in checks for name in check.parameters)

    async def allows(viewer: Principal, **arguments: Any) -> bool:
        async def given() -> Mapping[str, Any]:
            return arguments

        for check in checks:
            if (await decide(Rule(checks=(check,)), viewer, given)).denial is None:
                return True
        return False

    name = " or ".join(check.name for check in checks)
    return Check(name, allows, parameters=tuple(parameters))
