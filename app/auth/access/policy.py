"""Authorization: rules, the checks that they are made of, and decisions."""

from __future__ import annotations

import hashlib
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath
from typing import Any

from ..audit import AuditTrail, Kind, Outcome
from ..session import Session

LONGEST_TARGET = 200  # characters; a client can claim to be on a page of any length


def record_access(
    audit: AuditTrail, decision: Decision, *, sub: str | None, ref: str | None, target: str
) -> None:
    """Record a decision about `target`, a page or a handler, in the audit trail."""
    if not audit.has_hooks:
        return
    denial = decision.denial
    audit.record(
        Kind.ACCESS,
        Outcome.DENIED if denial else Outcome.SUCCESS,
        denial or "allowed",
        sub=sub,
        ref=ref,
        target=target[:LONGEST_TARGET],
    )


logger = logging.getLogger(__name__)

_NO_PARAMETERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user who sends an event or is shown a variable.

    `user` holds the claims, `scopes` the scopes of the session's access tokens. `auth_time` and
    `now` are epoch seconds. `auth_time` is when the user authenticated at the provider or, if the
    provider does not say, when the session began. `acr` (None) and `amr` (empty if the provider
    does not say) are how (OpenID Connect Core section 2).
    """

    user: Mapping[str, Any] = field(repr=False)
    scopes: frozenset[str]
    auth_time: float
    now: float
    acr: str | None = None
    amr: tuple[str, ...] = ()

    @classmethod
    def of(cls, session: Session, now: float) -> Principal:
        """Return the user of a session."""
        scopes = (scope for token in session.access_tokens for scope in token.scope.split())
        return cls(
            session.claims(),
            frozenset(scopes),
            session.auth_time,
            now,
            acr=session.acr,
            amr=session.amr,
        )


Predicate = Callable[[Principal], bool | Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Check:
    """One condition. `allows` is a function of a `Principal`, sync or async; only True allows, and
    an exception denies. `name` stands for the check in the surface report. If there are
    `login_parameters`, a user who does not meet it may do so after a login with them."""

    name: str
    allows: Predicate
    login_parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """What access requires: nothing (`is_public`), or a signed-in user who meets every check."""

    is_public: bool = False
    checks: tuple[Check, ...] = ()

    @property
    def key(self) -> str:
        """An identifier of this rule for the browser, the same in every process."""
        parts = [(check.name, *_place(check.allows)) for check in self.checks]
        return hashlib.sha256(repr((self.is_public, parts)).encode()).hexdigest()[:12]

    def __str__(self) -> str:
        if self.is_public:
            return "public"
        return " and ".join(["signed in", *(check.name for check in self.checks)])


def _place(predicate: Predicate) -> tuple[str, int]:
    """The file and line of a predicate. Names are not unique: every lambda has the same."""
    code = getattr(predicate, "__code__", None)
    return (PurePath(code.co_filename).name, code.co_firstlineno) if code else ("", 0)


PUBLIC = Rule(is_public=True)
SIGNED_IN = Rule()


class Denial(StrEnum):
    """Why access is denied."""

    LOGIN_REQUIRED = "login_required"  # no user is signed in
    STEP_UP_REQUIRED = "step_up_required"  # the user may pass after another login
    FORBIDDEN = "forbidden"  # the user may not pass
    UNKNOWN_HANDLER = "unknown_handler"  # the event names no registered handler
    FOREIGN_TAB = "foreign_tab"  # an upload for the tab of another session
    FOREIGN_ORIGIN = "foreign_origin"  # a websocket or a change, from a page of another origin


@dataclass(frozen=True, slots=True)
class Decision:
    """`denial` is None if access is allowed. `check` is the name of the check that was not met."""

    denial: Denial | None = None
    check: str | None = None
    login_parameters: Mapping[str, str] = field(default_factory=lambda: _NO_PARAMETERS)


ALLOWED = Decision()
ANONYMOUS = Decision(Denial.LOGIN_REQUIRED)


async def decide_for(rule: Rule, session: Session | None, clock: Callable[[], float]) -> Decision:
    """Decide for the user of a session. `clock` returns epoch seconds."""
    # Nearly every rule has no checks, and then needs no copy of the claims.
    if rule.is_public or (session is not None and not rule.checks):
        return ALLOWED
    return await decide(rule, Principal.of(session, clock()) if session else None)


async def decide(rule: Rule, viewer: Principal | None) -> Decision:
    """Decide for `viewer` (None: no user is signed in). A check that raises denies access."""
    if rule.is_public:
        return ALLOWED
    if viewer is None:
        return ANONYMOUS
    for check in rule.checks:
        if not await _is_met(check, viewer):
            if check.login_parameters:
                # Those of the other checks, too: one login has to satisfy them all.
                others = {k: v for each in rule.checks for k, v in each.login_parameters.items()}
                parameters = {**others, **check.login_parameters}
                return Decision(Denial.STEP_UP_REQUIRED, check.name, parameters)
            return Decision(Denial.FORBIDDEN, check.name)
    return ALLOWED


async def _is_met(check: Check, viewer: Principal) -> bool:
    try:
        answer = check.allows(viewer)
        # `is True`: an object that is merely truthy, such as a method not called, must not pass.
        return (await answer if inspect.isawaitable(answer) else answer) is True
    except Exception:
        logger.exception("The check %r raised an exception; access is denied.", check.name)
        return False
