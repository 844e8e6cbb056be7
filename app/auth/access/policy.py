"""Who may see and do what: rules, the checks that they are made of, and the decision."""

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

LONGEST_TARGET = 200  # characters; a client may claim any page


def record_access(
    audit: AuditTrail, decision: Decision, *, sub: str | None, ref: str | None, target: str
) -> None:
    """Note a decision about `target`, a page or a handler, for whoever asked."""
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
    """Who an event comes from, or whom a variable is shown to: a signed-in user.

    `user` are the claims, `scopes` what the session's access tokens were granted, `auth_time` and
    `now` epoch seconds (`auth_time` is when the provider saw the password, or the login here).
    """

    user: Mapping[str, Any] = field(repr=False)
    scopes: frozenset[str]
    auth_time: float
    now: float

    @classmethod
    def of(cls, session: Session, now: float) -> Principal:
        """Whoever this session is of."""
        scopes = (scope for token in session.access_tokens for scope in token.scope.split())
        return cls(session.claims(), frozenset(scopes), session.auth_time, now)


Predicate = Callable[[Principal], bool | Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Check:
    """One condition. `name` is what the surface report calls it; a login with `login_parameters`
    may bring a user to meet it, where there are any."""

    name: str
    allows: Predicate
    login_parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """What it takes: nothing (`is_public`), or a signed-in user who meets every check."""

    is_public: bool = False
    checks: tuple[Check, ...] = ()

    @property
    def key(self) -> str:
        """A name for this rule in the browser, the same in every process."""
        parts = [(check.name, *_place(check.allows)) for check in self.checks]
        return hashlib.sha256(repr((self.is_public, parts)).encode()).hexdigest()[:12]

    def __str__(self) -> str:
        if self.is_public:
            return "public"
        return " and ".join(["signed in", *(check.name for check in self.checks)])


def _place(predicate: Predicate) -> tuple[str, int]:
    """File and line, since two may have the same name: every lambda has."""
    code = getattr(predicate, "__code__", None)
    return (PurePath(code.co_filename).name, code.co_firstlineno) if code else ("", 0)


PUBLIC = Rule(is_public=True)
SIGNED_IN = Rule()


class Denial(StrEnum):
    """Why not."""

    LOGIN_REQUIRED = "login_required"  # nobody is signed in
    STEP_UP_REQUIRED = "step_up_required"  # somebody is, and another login would do
    FORBIDDEN = "forbidden"  # somebody is, and may not
    UNKNOWN_HANDLER = "unknown_handler"  # there is no such thing
    FOREIGN_TAB = "foreign_tab"  # an upload for the tab of another session
    FOREIGN_ORIGIN = "foreign_origin"  # a websocket from a page that is not this app's


@dataclass(frozen=True, slots=True)
class Decision:
    """`denial` is None where it is allowed; `check` is the name of the check that was not met."""

    denial: Denial | None = None
    check: str | None = None
    login_parameters: Mapping[str, str] = field(default_factory=lambda: _NO_PARAMETERS)


ALLOWED = Decision()
ANONYMOUS = Decision(Denial.LOGIN_REQUIRED)


async def decide_for(rule: Rule, session: Session | None, clock: Callable[[], float]) -> Decision:
    """Whether the user of a session may; who that is, is put together only for a rule with checks.
    `clock` gives epoch seconds."""
    if rule.is_public or (session is not None and not rule.checks):
        return ALLOWED
    return await decide(rule, Principal.of(session, clock()) if session else None)


async def decide(rule: Rule, viewer: Principal | None) -> Decision:
    """Whether `viewer` (None: nobody is signed in) may. A check that raises denies."""
    if rule.is_public:
        return ALLOWED
    if viewer is None:
        return ANONYMOUS
    for check in rule.checks:
        if not await _is_met(check, viewer):
            if check.login_parameters:
                return Decision(Denial.STEP_UP_REQUIRED, check.name, check.login_parameters)
            return Decision(Denial.FORBIDDEN, check.name)
    return ALLOWED


async def _is_met(check: Check, viewer: Principal) -> bool:
    try:
        answer = check.allows(viewer)
        return (await answer if inspect.isawaitable(answer) else answer) is True
    except Exception:
        logger.exception("The check %r failed, which denies.", check.name)
        return False
