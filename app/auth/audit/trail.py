"""Telling the hooks, none of which can get in the way of what they are told about."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence

from ..errors import AuthError
from .event import AuditEvent, AuditHook, Kind, Outcome, session_name

logger = logging.getLogger(__name__)

MOST_UNFINISHED = 1000  # calls of async hooks; what comes while so many are under way is dropped


class AuditTrail:
    """`clock` gives epoch seconds. Without hooks, telling costs next to nothing."""

    def __init__(self, hooks: Sequence[AuditHook], *, clock: Callable[[], float]) -> None:
        self._hooks = tuple(hooks)
        self.has_hooks = bool(self._hooks)  # whether anybody is told
        self._clock = clock
        self._unfinished: set[asyncio.Task[None]] = set()
        self._dropped = 0

    def tell(
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
    ) -> None:
        """Tell every hook. `ref` is the session's reference."""
        if not self._hooks:
            return
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
        )
        for hook in self._hooks:
            self._call(hook, event)

    def failed(
        self,
        kind: Kind,
        error: AuthError,
        *,
        sub: str | None = None,
        ref: str | None = None,
        target: str | None = None,
    ) -> None:
        """Tell of something that did not work, by the error's code and id."""
        self.tell(
            kind,
            Outcome.FAILURE,
            error.code,
            sub=sub,
            ref=ref,
            target=target,
            error_id=error.error_id,
        )

    async def stop(self) -> None:
        """Wait a moment for async hooks that are not finished, then cancel them."""
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
        if inspect.isawaitable(result):
            self._finish(result)

    def _finish(self, result: Awaitable[None]) -> None:
        if len(self._unfinished) >= MOST_UNFINISHED:
            self._drop(result)
            return
        task = asyncio.ensure_future(_awaited(result))
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)

    def _drop(self, result: Awaitable[None]) -> None:
        if inspect.iscoroutine(result):
            result.close()
        self._dropped += 1
        if self._dropped == 1 or self._dropped % MOST_UNFINISHED == 0:
            logger.error("An audit hook is too slow: it has missed %d events.", self._dropped)


async def _awaited(result: Awaitable[None]) -> None:
    try:
        await result
    except Exception:
        logger.exception("An audit hook failed.")
