"""Events that wait for a login, in the store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.auth.flows.kept_events import LARGEST, KeptEvent, KeptEvents
from app.auth.session import MemorySessionStore, Sealer

from ..conftest import SECRET

EVENT = KeptEvent("shop.cart.add", {"item": "tea", "count": 2}, "token")


@pytest.fixture
async def events() -> AsyncIterator[KeptEvents]:
    """Those of one store."""
    store = MemorySessionStore(Sealer((SECRET,)), clock=lambda: 1.0)
    yield KeptEvents(store, clock=lambda: 1.0)
    await store.close()


async def test_once(events: KeptEvents) -> None:
    """An event goes to the login of its browser and to the tab of its session, once each."""
    event_id = await events.keep("browser", EVENT)
    assert event_id
    for browser, other_id in ((None, event_id), ("other", event_id), ("browser", None)):
        assert await events.claim(browser, other_id) is None
    text = await events.claim("browser", event_id)
    assert text
    assert await events.claim("browser", event_id) is None
    await events.hand_over("session", text)
    assert await events.take("other", "token") is None
    assert await events.take("session", "other") is None
    assert await events.take("session", "token") == EVENT
    assert await events.take("session", "token") is None


def large(size: int) -> KeptEvent:
    """An event that has this size as JSON."""
    empty = KeptEvent("a", {"x": ""}, "t").to_text() or ""
    return KeptEvent("a", {"x": "x" * (size - len(empty))}, "t")


@pytest.mark.parametrize(
    ("event", "is_kept"),
    [
        (large(LARGEST), True),
        (large(LARGEST + 1), False),
        (KeptEvent("a", {"x": "\u00fc" * (LARGEST // 4)}, "t"), False),
        (KeptEvent("a", {"x": object()}, "t"), False),
        (KeptEvent("a", {"x": float("nan")}, "t"), False),
    ],
    ids=["largest", "too large", "too large when escaped", "no JSON", "not a number"],
)
async def test_what_is_kept(events: KeptEvents, event: KeptEvent, is_kept: bool) -> None:
    """At most 8 KiB of JSON are kept, and nothing that is no JSON."""
    assert (await events.keep("browser", event) is not None) is is_kept
