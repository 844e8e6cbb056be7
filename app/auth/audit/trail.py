"""The audit trail: events about logins, sessions, tokens and access, and the hooks that get them.

A hook that fails or is slow does not affect the operation that the event is about.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from ..errors import AuthError, LoginRefused

logger = logging.getLogger(__name__)

MOST_UNFINISHED = 1000  # running calls of async hooks; beyond that, events are dropped


class Kind(StrEnum):
    """What an event is about."""

    LOGIN_STARTED = "login_started"
    LOGIN_COMPLETED = "login_completed"
    LOGOUT = "logout"
    TOKEN_REFRESH = "token_refresh"  # noqa: S105
    TOKEN_EXCHANGE = "token_exchange"  # noqa: S105
    SESSION_EXPIRED = "session_expired"
    SESSION_REVOKED = "session_revoked"
    ACCESS = "access"
    REPLAYED = "replayed"
    CLAIMS_UPDATED = "claims_updated"
    OFFLINE_ACCESS = "offline_access"
    INTERCEPTOR = "interceptor"
    LIMIT = "limit"


class Outcome(StrEnum):
    """The result: `denied` is a decision, `failure` is an error."""

    SUCCESS = "success"
    DENIED = "denied"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One entry. It holds no token, code, cookie or query, and no text from a provider.

    `kind` says what it is about, `outcome` whether it is a success, a denial or a failure; both are
    texts, such as `login_completed` and `denied`. `reason` is a stable code, `time` is in epoch
    seconds. `sub` is the user's; `session` is the same in every event about a session
    (`session_name`). `target` is the page, the handler, the audience, or the request (method and
    URL). `error_id` is the id that the user sees and that is in the log. `milliseconds` is the
    duration, or 0. `check` is the name of the check that was not met. `provider` is the name of the
    login provider, in an event about a login or a session of an app with several. `browser`,
    `platform` and `address` say where the user logged in, in an event about a session that has
    begun or ended (`Device`).
    """

    kind: Kind
    outcome: Outcome
    reason: str
    time: float
    sub: str | None = None
    session: str | None = None
    target: str | None = None
    error_id: str | None = None
    milliseconds: float = 0.0
    check: str | None = None
    provider: str | None = None
    browser: str | None = None
    platform: str | None = None
    address: str | None = None


AuditHook = Callable[[AuditEvent], Awaitable[None] | None]
"""Called with each event. Its errors are logged. A synchronous hook runs on the event loop and
should be quick."""


def session_name(ref: str) -> str:
    """A session's name in the audit trail: a hash of `ref`, the store's key, which stays secret."""
    return hashlib.sha256(f"audit\0{ref}".encode()).hexdigest()[:16]


class AuditTrail:
    """Calls every hook with each event. `clock` returns epoch seconds.

    Without hooks, `record` returns at once. Callers may check `has_hooks` first. `kept` are hooks
    for single kinds of events, which do not count there.
    """

    def __init__(
        self,
        hooks: Sequence[AuditHook],
        *,
        clock: Callable[[], float],
        kept: Mapping[Kind, AuditHook] | None = None,
    ) -> None:
        self._hooks = tuple(hooks)
        self._kept = kept or {}
        self.has_hooks = bool(self._hooks)
        self._clock = clock
        self._unfinished: set[asyncio.Task[None]] = set()
        self._dropped = 0

    def record(
        self,
        kind: Kind,
        outcome: Outcome,
        reason: str,
        *,
        sub: str | None = None,
        ref: str | None = None,
        target: str | None = None,
        error_id: str | None = None,
        milliseconds: float = 0.0,
        check: str | None = None,
        provider: str | None = None,
        client: tuple[str, str, str] = ("", "", ""),
    ) -> None:
        """Call every hook with an event at the current time. `ref` is the session id hash, and
        `client` has browser, platform and address; the other parameters are the fields of
        `AuditEvent`."""
        kept = self._kept.get(kind)
        if not self._hooks and kept is None:
            return
        browser, platform, address = client
        event = AuditEvent(
            kind,
            outcome,
            reason,
            self._clock(),
            sub=sub,
            session=session_name(ref) if ref else None,
            target=target,
            error_id=error_id,
            milliseconds=milliseconds,
            check=check,
            provider=provider or None,
            browser=browser or None,
            platform=platform or None,
            address=address or None,
        )
        for hook in self._hooks:
            self._call(hook, event)
        if kept is not None:
            self._call(kept, event)

    def failed(
        self,
        kind: Kind,
        error: AuthError,
        *,
        sub: str | None = None,
        ref: str | None = None,
        target: str | None = None,
        provider: str | None = None,
    ) -> None:
        """Record a failure, or a denial by the app, with the error's code and id."""
        outcome = Outcome.DENIED if isinstance(error, LoginRefused) else Outcome.FAILURE
        self.record(
            kind,
            outcome,
            error.code,
            sub=sub,
            ref=ref,
            target=target,
            error_id=error.error_id,
            provider=provider or error.provider,
        )

    @contextmanager
    def timed(
        self,
        kind: Kind,
        reason: str,
        *,
        sub: str | None,
        ref: str | None,
        target: str | None,
        provider: str | None,
    ) -> Iterator[None]:
        """Record how a block ends: with success and its duration, for `reason`, or with the
        `AuthError` that it raises."""
        began_at = self._clock()
        try:
            yield
        except AuthError as error:
            self.failed(kind, error, sub=sub, ref=ref, target=target, provider=provider)
            raise
        self.record(
            kind,
            Outcome.SUCCESS,
            reason,
            sub=sub,
            ref=ref,
            target=target,
            milliseconds=(self._clock() - began_at) * 1000,
            provider=provider,
        )

    async def stop(self) -> None:
        """Wait up to five seconds for async hooks that are still running, then cancel them."""
        if self._unfinished:
            _, late = await asyncio.wait(self._unfinished, timeout=5.0)
            for task in late:
                task.cancel()

    def _call(self, hook: AuditHook, event: AuditEvent) -> None:
        try:
            result = hook(event)
        except Exception:
            logger.exception("An audit hook failed.")
            return
        if not inspect.isawaitable(result):
            return
        if len(self._unfinished) < MOST_UNFINISHED:
            task = asyncio.ensure_future(_awaited(result))
            self._unfinished.add(task)
            task.add_done_callback(self._unfinished.discard)
            return
        if inspect.iscoroutine(result):  # else Python warns that it was never awaited
            result.close()
        self._dropped += 1
        if self._dropped == 1 or self._dropped % MOST_UNFINISHED == 0:
            logger.error("An audit hook is too slow: it has missed %d events.", self._dropped)


async def _awaited(result: Awaitable[None]) -> None:
    try:
        await result
    except Exception:
        logger.exception("An audit hook failed.")
