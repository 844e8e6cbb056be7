"""The app's own steps at a login, at a change of claims, and at a logout.

Each hook is an `async` function of one argument. An exception in it becomes a `HookError`: its log
line begins with the id that the user sees.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ..errors import HookError, LoginRefused
from ..session import Session, hash_session_id
from ..user import copy_of
from .claims import PROTOCOL_CLAIMS
from .devices import public_id

logger = logging.getLogger(__name__)

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class PendingSession:
    """What `before_session` decides about: a login that is about to be completed or, with
    `is_update`, a session whose claims the provider has changed.

    `claims` are all claims that the provider sent about the user, and `scopes` the granted scopes
    by audience (an empty text is the provider's default audience). `parameters` is the query of the
    login link without its return path. Anybody can make such a link: check what you use. It is
    empty at an update. `data` is what the hook kept before, and empty at a login. `provider` is the
    name of the provider; empty if the app has one.
    """

    claims: Mapping[str, Any] = field(repr=False)
    scopes: Mapping[str, frozenset[str]]
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    is_update: bool = False
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Keep:
    """An answer of `before_session`: go on.

    `claims` take the place of the provider's (None: all of them stay). `sub` is always kept, and
    claims about the token, such as `iss`, `acr` or `sid`, cannot be added. `data` is JSON for the
    server only: `auth.get_data`, and `Principal.data` in checks (None: as before).
    """

    claims: Mapping[str, Any] | None = field(default=None, repr=False)
    data: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Refuse:
    """An answer of `before_session`: no session.

    At a login, the error page shows `reason`, a sentence of at most 300 characters of plain text.
    At an update, the session ends. `code` is a stable name for logs, the audit trail and the URL
    of the error page: lower-case letters, digits and underscores.

    Raises:
        ValueError: `code` has another form.
    """

    reason: str
    code: str = LoginRefused.code

    def __post_init__(self) -> None:
        """Check the code, which stands in URLs."""
        if not _CODE.fullmatch(self.code):
            raise ValueError(f"The code {self.code!r} is not like not_invited.")


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """What `after_login` is told: a session has been stored.

    `sub`, `claims` and `data` are those of the session. `session` is its id, as in `Device.id`:
    with `sub` it names the session for `auth.http_client_of`. `is_renewed` says that the same user
    was logged in in this browser before. `return_to` is the path that the browser is sent to.
    `provider` is the name of the provider; empty if the app has one.
    """

    sub: str
    session: str
    claims: Mapping[str, Any] = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)
    is_renewed: bool
    return_to: str
    provider: str = ""


@dataclass(frozen=True, slots=True)
class LoggingOut:
    """What `before_logout` is told: the user logs out in this browser. The fields are those of
    `LoggedIn`: `sub`, `session`, `claims`, `data` and `provider`."""

    sub: str
    session: str
    claims: Mapping[str, Any] = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)
    provider: str = ""


BeforeSession = Callable[[PendingSession], Awaitable[Keep | Refuse | None]]
"""Decides about a session before it is stored, and about new claims of one. None keeps all claims.
It may be called again for the same session, and by several processes."""

AfterLogin = Callable[[LoggedIn], Awaitable[None]]
"""Called when a login has been completed, before the browser is sent back to the app."""

BeforeLogout = Callable[[LoggingOut], Awaitable[None]]
"""Called before a session ends because its user logs out here, and not for any other end."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """The hooks of an app. Each may be missing."""

    before_session: BeforeSession | None = None
    after_login: AfterLogin | None = None
    before_logout: BeforeLogout | None = None

    async def decide(
        self, session: Session, *, parameters: Mapping[str, str], is_update: bool
    ) -> Session:
        """Run `before_session`, and return the session with what it keeps.

        Raises:
            LoginRefused: the hook refused it.
            HookError: the hook failed, or returned what cannot be kept.
        """
        if self.before_session is None:
            return session
        pending = PendingSession(
            claims=copy_of(session.user),
            scopes=session.scopes,
            parameters=dict(parameters),
            data=copy_of(session.data),
            is_update=is_update,
            provider=session.provider,
        )
        answer = await _run("before_session", self.before_session, pending)
        if isinstance(answer, Refuse):
            raise LoginRefused(answer.reason, code=answer.code)
        if answer is None:
            return session
        try:
            return _kept(answer, session)
        except Exception as error:
            raise _failed("before_session", error) from None

    async def logged_in(
        self, session_id: str, session: Session, *, is_renewed: bool, return_to: str
    ) -> None:
        """Run `after_login`. Raises `HookError`."""
        if self.after_login is None:
            return
        event = LoggedIn(
            sub=session.sub,
            session=public_id(hash_session_id(session_id)),
            claims=session.claims(),
            data=copy_of(session.data),
            is_renewed=is_renewed,
            return_to=return_to,
            provider=session.provider,
        )
        await _run("after_login", self.after_login, event)

    async def logging_out(self, session_id_hash: str, session: Session) -> None:
        """Run `before_logout`. Raises `HookError`."""
        if self.before_logout is None:
            return
        event = LoggingOut(
            sub=session.sub,
            session=public_id(session_id_hash),
            claims=session.claims(),
            data=copy_of(session.data),
            provider=session.provider,
        )
        await _run("before_logout", self.before_logout, event)


async def _run(name: str, hook: Callable[[Any], Awaitable[Result]], argument: object) -> Result:
    try:
        return await hook(argument)
    except Exception as error:
        raise _failed(name, error) from None


def _failed(name: str, error: Exception) -> HookError:
    """Log the exception with the id of the error that takes its place."""
    failure = HookError(f"The hook {name} failed: {type(error).__name__}.")
    logger.error("[%s] The hook %s failed.", failure.error_id, name, exc_info=error)
    return failure


def _kept(answer: Keep, session: Session) -> Session:
    """Return the session with the claims and the data of the answer.

    Raises:
        TypeError, ValueError: they cannot be stored as JSON, or are of another user.
    """
    if not isinstance(answer, Keep):
        raise TypeError(f"before_session returned {type(answer).__name__}: want Keep or Refuse")
    if answer.data is not None:
        session = replace(session, data=_as_json(answer.data))
    if answer.claims is None:
        return session
    claims = _as_json(answer.claims)
    if claims.get("sub", session.sub) != session.sub:
        raise ValueError("before_session returned another sub")
    kept = {name: value for name, value in claims.items() if name not in PROTOCOL_CLAIMS}
    return replace(
        session,
        user={**kept, "sub": session.sub},
        provider_claims=session.user,
    )


def _as_json(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping as the store gives it back: what is compared by value later is what was read."""
    found: dict[str, Any] = json.loads(json.dumps(dict(mapping), allow_nan=False))
    return found
