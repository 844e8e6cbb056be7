"""Hooks are told, and what they do changes nothing."""

from __future__ import annotations

import asyncio
import logging

import pytest

from app.auth.audit import AuditEvent, AuditHook, AuditTrail, Kind, Outcome
from app.auth.audit.trail import MOST_UNFINISHED
from app.auth.errors import StoreUnavailable


def trail(*hooks: AuditHook) -> AuditTrail:
    """A trail at noon."""
    return AuditTrail(hooks, clock=lambda: 43_200.0)


def tell(audit: AuditTrail) -> None:
    """Tell something."""
    audit.record(Kind.LOGOUT, Outcome.SUCCESS, "user", sub="ann", ref="the-store's-key")


async def test_each_hook_is_told() -> None:
    """Synchronous and asynchronous hooks get the same event, complete, in the order of telling."""
    heard: list[AuditEvent] = []
    later: list[AuditEvent] = []

    async def hook(event: AuditEvent) -> None:
        await asyncio.sleep(0)
        later.append(event)

    audit = trail(heard.append, hook)
    tell(audit)
    audit.failed(Kind.TOKEN_REFRESH, StoreUnavailable("away"), target="api")
    await audit.stop()
    assert heard == later
    first, second = heard
    assert (first.sub, first.time, first.error_id) == ("ann", 43_200.0, None)
    assert (second.outcome, second.reason, second.target) == ("failure", "store_unavailable", "api")
    assert second.error_id


async def test_session_name() -> None:
    """A session has one name in all entries, from which its key in the store cannot be had."""
    heard: list[AuditEvent] = []
    audit = trail(heard.append)
    tell(audit)
    tell(audit)
    assert heard[0].session == heard[1].session
    assert "the-store's-key" not in repr(heard)


async def test_failing_hooks(caplog: pytest.LogCaptureFixture) -> None:
    """A hook that fails, now or later, is a line in the log; the others are told."""
    heard: list[AuditEvent] = []

    def fails(event: AuditEvent) -> None:
        raise RuntimeError("now")

    async def fails_later(event: AuditEvent) -> None:
        raise RuntimeError("later")

    audit = trail(fails, fails_later, heard.append)
    tell(audit)
    await audit.stop()
    assert len(heard) == 1
    assert [record.message for record in caplog.records] == ["An audit hook failed."] * 2


async def test_slow_hook(caplog: pytest.LogCaptureFixture) -> None:
    """A hook that is too slow misses events, says so, and holds no more than so many."""
    may_go_on = asyncio.Event()
    heard = 0

    async def slow(event: AuditEvent) -> None:
        nonlocal heard
        await may_go_on.wait()
        heard += 1

    audit = trail(slow)
    with caplog.at_level(logging.ERROR):
        for _ in range(MOST_UNFINISHED + 10):
            tell(audit)
    may_go_on.set()
    await audit.stop()
    assert heard == MOST_UNFINISHED
    assert "too slow" in caplog.text


async def test_hook_for_one_kind() -> None:
    """A hook for some kinds of events gets those only, also where there is no other hook."""
    heard: list[AuditEvent] = []
    audit = AuditTrail((), clock=lambda: 43_200.0, kept={Kind.LOGOUT: heard.append})
    tell(audit)
    audit.record(Kind.ACCESS, Outcome.SUCCESS, "allowed")
    assert [event.kind for event in heard] == [Kind.LOGOUT]
    assert not audit.has_hooks
