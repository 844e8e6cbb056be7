"""Authorization: rules, the checks that they are made of, and decisions."""

from __future__ import annotations

import hashlib
import inspect
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath
from typing import Any, Protocol

from ..audit import AuditTrail, Kind, Outcome
from ..log_throttle import LogThrottle
from ..session import Session
from ..user import copy_of

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
        check=decision.check,
    )


logger = logging.getLogger(__name__)

_throttle = LogThrottle()
_NO_PARAMETERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user who sends an event or is shown a variable.

    `user` holds all claims, `scopes` the scopes of the session's access tokens, and
    `scopes_by_audience` the same for each API. `data` is what `before_session` kept. `auth_time`
    and `now` are epoch seconds. `auth_time` is when the user authenticated at the provider or, if
    the provider does not say, when the session began. `acr` (None) and `amr` (empty if the provider
    does not say) are how (OpenID Connect Core section 2). `provider` is the name of the provider;
    empty if the app has one.
    """

    user: Mapping[str, Any] = field(repr=False)
    scopes: frozenset[str]
    auth_time: float
    now: float
    scopes_by_audience: Mapping[str, frozenset[str]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    acr: str | None = None
    amr: tuple[str, ...] = ()
    provider: str = ""

    @classmethod
    def of(cls, session: Session, now: float) -> Principal:
        """Return the user of a session."""
        scopes = session.scopes
        return cls(
            session.claims(),
            frozenset().union(*scopes.values()),
            session.auth_time,
            now,
            scopes_by_audience=scopes,
            data=copy_of(session.data),
            acr=session.acr,
            amr=session.amr,
            provider=session.provider,
        )


Answer = bool | Awaitable[bool]


class ObjectPredicate(Protocol):
    """A predicate that takes more than the user."""

    def __call__(self, viewer: Principal, /, *args: Any, **kwargs: Any) -> Answer: ...


Predicate = Callable[[Principal], Answer] | ObjectPredicate

Given = Callable[[], Awaitable[Mapping[str, Any]]]
"""Returns the arguments of the call that is decided about by name. Called if a check names any."""


@dataclass(frozen=True, slots=True)
class Check:
    """One condition. `allows` is a function of a `Principal`, sync or async; only True allows, and
    an exception denies. `name` stands for the check in the surface report. If there are
    `login_parameters`, a user who does not meet it may do so after a login with them.

    `parameters` are the names of what `allows` takes besides: arguments of the event and `state`,
    by keyword. By default they are its further parameters without a default.
    """

    name: str
    allows: Predicate
    login_parameters: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.parameters:
            object.__setattr__(self, "parameters", further_parameters(self.allows))


Requirement = Callable[[Principal], Answer] | ObjectPredicate | Check
"""What the decorators take. Not `Predicate | Check`, in which mypy would infer no lambda."""


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

    def require_parameters(self, names: Collection[str], target: str) -> None:
        """Raise `TypeError` if a check takes a parameter that is not among `names`, which are those
        of `target`."""
        for check in self.checks:
            if missing := [name for name in check.parameters if name not in names]:
                raise TypeError(
                    f"The check {check.name!r} takes {', '.join(missing)}, which {target} does not "
                    "have."
                )


def further_parameters(predicate: Predicate) -> tuple[str, ...]:
    """The names of the parameters after the first that have no default. One with a default keeps
    it: a client must not choose what `lambda viewer, role="admin": ...` compares with."""
    try:
        _, *others = inspect.signature(predicate).parameters.values()
    except ValueError:  # a builtin without a signature, or a function without parameters
        return ()
    named = (each for each in others if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD))
    return tuple(each.name for each in named if each.default is each.empty)


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


async def decide_for(
    rule: Rule, session: Session | None, clock: Callable[[], float], given: Given | None = None
) -> Decision:
    """Decide for the user of a session. `clock` returns epoch seconds."""
    # Nearly every rule has no checks, and then needs no copy of the claims.
    if rule.is_public or (session is not None and not rule.checks):
        return ALLOWED
    return await decide(rule, Principal.of(session, clock()) if session else None, given)


async def decide(rule: Rule, viewer: Principal | None, given: Given | None = None) -> Decision:
    """Decide for `viewer` (None: no user is signed in). A check that raises denies access, and so
    does one that takes arguments where `given` has none."""
    if rule.is_public:
        return ALLOWED
    if viewer is None:
        return ANONYMOUS
    for check in rule.checks:
        if not await _is_met(check, viewer, given):
            if check.login_parameters:
                # Those of the other checks, too: one login has to satisfy them all.
                others = {k: v for each in rule.checks for k, v in each.login_parameters.items()}
                parameters = {**others, **check.login_parameters}
                return Decision(Denial.STEP_UP_REQUIRED, check.name, parameters)
            return Decision(Denial.FORBIDDEN, check.name)
    return ALLOWED


async def _is_met(check: Check, viewer: Principal, given: Given | None) -> bool:
    try:
        arguments = await given() if given is not None and check.parameters else _NO_PARAMETERS
        answer = check.allows(viewer, **{name: arguments[name] for name in check.parameters})
        # `is True`: an object that is merely truthy, such as a method not called, must not pass.
        return (await answer if inspect.isawaitable(answer) else answer) is True
    except Exception:
        # A client can choose arguments with which a check raises, and send them all day.
        if _throttle.is_due(check.name):
            logger.exception("The check %r raised an exception; access is denied.", check.name)
        return False
