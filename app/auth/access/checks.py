"""The checks that come with the layer, and combining checks."""

from __future__ import annotations

from typing import Any

from .policy import Check, Predicate, Principal, Rule, decide


def as_check(predicate: Predicate | Check) -> Check:
    """A check of one's own: a function of the viewer, sync or async."""
    if isinstance(predicate, Check):
        return predicate
    return Check(getattr(predicate, "__name__", "check"), predicate)


def has_scope(scope: str) -> Check:
    """The session was granted all of these scopes (space-separated)."""
    wanted = frozenset(scope.split())
    return Check(f"scope {scope}", lambda viewer: wanted <= viewer.scopes)


def claim(name: str, value: Any) -> Check:
    """The user's claim is this value, or a list that has it."""

    def allows(viewer: Principal) -> bool:
        held = viewer.user.get(name)
        return held == value or (isinstance(held, list) and value in held)

    return Check(f"{name} {value}", allows)


def has_role(role: str, *, name: str = "roles") -> Check:
    """The role is in the claim `name`; at Auth0 that is one of your own, such as
    `https://example.com/roles`."""
    where = "" if name == "roles" else f" in {name}"
    return Check(f"role {role}{where}", claim(name, role).allows)


def member_of(organization: str) -> Check:
    """The user logged in for this organization, by its id or its name (Auth0's `org_id` and
    `org_name`)."""
    name = "org_id" if organization.startswith("org_") else "org_name"
    wanted = organization if name == "org_id" else organization.lower()
    return Check(
        f"member of {organization}",
        lambda viewer: viewer.user.get(name) == wanted,
        {"organization": organization},
    )


def verified_email() -> Check:
    """The provider has verified the e-mail address."""
    return Check("verified e-mail", lambda viewer: viewer.user.get("email_verified") is True)


def authenticated_within(seconds: int) -> Check:
    """The provider saw the password so recently; else a new login is asked for (step-up)."""
    return Check(
        f"authenticated within {seconds} s",
        lambda viewer: viewer.now - viewer.auth_time <= seconds,
        {"max_age": str(seconds)},
    )


def any_of(*predicates: Predicate | Check) -> Check:
    """One of them is enough; the others may fail or raise."""
    checks = [as_check(predicate) for predicate in predicates]

    async def allows(viewer: Principal) -> bool:
        for check in checks:
            if (await decide(Rule(checks=(check,)), viewer)).denial is None:
                return True
        return False

    return Check(" or ".join(check.name for check in checks), allows)
