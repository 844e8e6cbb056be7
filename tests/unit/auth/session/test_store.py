"""One behaviour for every session store."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from app.auth.session import SessionStore

from .conftest import Clock, session, transaction


async def test_create_and_load(store: SessionStore, clock: Clock) -> None:
    """What was created is loaded, equal in every field, as version 1."""
    await store.create("ref", session(clock))
    stored = await store.load("ref")
    assert stored is not None
    assert (stored.session, stored.version) == (session(clock), 1)


async def test_unknown(store: SessionStore) -> None:
    """An unknown reference is None, not an error."""
    assert await store.load("nobody") is None


async def test_idle_lifetime(store: SessionStore, clock: Clock) -> None:
    """A session unused for the idle lifetime is gone; a touch in time keeps it."""
    await store.create("ref", session(clock))
    clock.now += 99
    await store.touch("ref")
    clock.now += 99
    assert await store.load("ref")
    clock.now += 1
    assert await store.load("ref") is None


async def test_absolute_lifetime(store: SessionStore, clock: Clock) -> None:
    """However much it is used, a session ends at its absolute lifetime."""
    await store.create("ref", session(clock))
    for _ in range(20):
        clock.now += 50
        await store.touch("ref")
    assert await store.load("ref") is None


async def test_compare_and_swap(store: SessionStore, clock: Clock) -> None:
    """Of two writers that loaded the same version, the second one is refused."""
    await store.create("ref", session(clock))
    first = replace(session(clock), sid="first")
    assert await store.compare_and_swap("ref", 1, first)
    assert not await store.compare_and_swap("ref", 1, replace(first, sid="second"))
    stored = await store.load("ref")
    assert stored
    assert (stored.session.sid, stored.version) == ("first", 2)


async def test_swap_does_not_revive(store: SessionStore, clock: Clock) -> None:
    """A refresh that finishes after logout does not bring the session back."""
    await store.create("ref", session(clock))
    assert await store.delete("ref")
    assert not await store.compare_and_swap("ref", 1, session(clock))
    assert await store.load("ref") is None
    assert not await store.delete("ref")


async def test_transaction_is_single_use(store: SessionStore, clock: Clock) -> None:
    """Of many takers at once exactly one gets the login attempt."""
    await store.put_transaction("key", transaction(clock))
    taken = await asyncio.gather(*(store.take_transaction("key") for _ in range(10)))
    assert [item for item in taken if item] == [transaction(clock)]


async def test_transaction_expires(store: SessionStore, clock: Clock) -> None:
    """A login attempt that took too long is over."""
    await store.put_transaction("key", transaction(clock))
    clock.now += 60
    assert await store.take_transaction("key") is None


async def test_lease(store: SessionStore, clock: Clock) -> None:
    """One holder at a time; a lease that ran out passes on, under a greater number."""
    first = await store.acquire_lease("ref", 10)
    assert first is not None
    assert await store.acquire_lease("ref", 10) is None
    clock.now += 10
    second = await store.acquire_lease("ref", 10)
    assert second is not None
    assert second > first
    await store.release_lease("ref", first)
    assert await store.acquire_lease("ref", 10) is None
    await store.release_lease("ref", second)
    third = await store.acquire_lease("ref", 10)
    assert third is not None
    assert third > second


async def test_fenced_swap(store: SessionStore, clock: Clock) -> None:
    """A holder whose lease was taken over can no longer write."""
    await store.create("ref", session(clock))
    old = await store.acquire_lease("ref", 10)
    clock.now += 10
    new = await store.acquire_lease("ref", 10)
    assert not await store.compare_and_swap("ref", 1, session(clock), fence=old)
    assert await store.compare_and_swap("ref", 1, session(clock), fence=new)


async def test_purge(store: SessionStore, clock: Clock) -> None:
    """Expired sessions are freed, others are kept."""
    await store.create("old", session(clock))
    clock.now += 60
    await store.create("new", session(clock))
    clock.now += 60
    assert await store.purge() == 1
    assert await store.load("new")
