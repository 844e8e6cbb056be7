"""One behaviour for every session store."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from app.auth.errors import StoreUnavailable
from app.auth.session import Activity, MemorySessionStore, SessionStore
from app.auth.session.activity import ACTIVITY_AGE, MOST_ACTIVITY

from ..conftest import LIFETIMES, SECRET, Clock, OpenStore, session, transaction


async def test_create_and_load(store: SessionStore, clock: Clock) -> None:
    """What was created is loaded, equal in every field, as version 1."""
    await store.create("ref", session(clock))
    stored = await store.load("ref")
    assert stored is not None
    assert (stored.session, stored.version) == (session(clock), 1)


async def test_known_without_waiting(store: SessionStore, clock: Clock) -> None:
    """What is known of a session without waiting for the store, if anything, is what the store
    has: also after it has changed, has expired or was ended."""
    await store.create("ref", session(clock))
    stored = await store.load("ref")
    assert store.cached("ref") in (stored, None)
    assert await store.compare_and_swap("ref", 1, session(clock, sid="changed"))
    assert store.cached("ref") is None
    stored = await store.load("ref")
    assert store.cached("ref") in (stored, None)
    clock.now += 100
    assert store.cached("ref") is None
    await store.create("other", session(clock))
    assert await store.load("other")
    assert await store.delete("other")
    assert store.cached("other") is None


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


async def test_session_expiry(store: SessionStore, clock: Clock) -> None:
    """However much it is used, a session ends at the time that the provider gave it; at that time
    it is found no more, and is purged as any other."""
    await store.create("ref", session(clock, session_expiry=clock() + 150.0))
    for _ in range(3):
        clock.now += 49
        await store.touch("ref")
        assert await store.load("ref")
    clock.now += 3
    assert store.cached("ref") is None
    assert await store.load("ref") is None
    assert await store.find(sub="auth0|alice") == {}
    assert list(await store.purge()) == ["ref"]


async def test_session_expiry_of_a_replaced_session(store: SessionStore, clock: Clock) -> None:
    """A login that replaces a session brings its own end, or none."""
    await store.create("first", session(clock, session_expiry=clock() + 10.0))
    await store.create("second", session(clock), replaces="first")
    clock.now += 11
    assert await store.load("second")
    await store.create("third", session(clock, session_expiry=clock() + 10.0), replaces="second")
    clock.now += 10
    assert await store.load("third") is None


async def test_earlier_session_expiry(store: SessionStore, clock: Clock) -> None:
    """A change of the session may bring its end forward, and touching does not put it off."""
    await store.create("ref", session(clock))
    shorter = session(clock).ending_by(clock() + 50.0)
    assert await store.compare_and_swap("ref", 1, shorter)
    clock.now += 49
    await store.touch("ref")
    assert await store.load("ref")
    clock.now += 1
    assert await store.load("ref") is None
    assert list(await store.purge()) == ["ref"]


async def test_times_of_a_session(store: SessionStore, clock: Clock) -> None:
    """A loaded session knows when it ends unless it is used, and when in any case."""
    await store.create("ref", session(clock))
    stored = await store.load("ref")
    assert stored
    assert stored.expires_at(store.lifetimes) == clock() + LIFETIMES.idle
    assert stored.ends_at(store.lifetimes) == clock() + LIFETIMES.absolute
    await store.create("short", session(clock, session_expiry=clock() + 7.0))
    stored = await store.load("short")
    assert stored
    assert stored.expires_at(store.lifetimes) == stored.ends_at(store.lifetimes) == clock() + 7


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


async def test_remembered(store: SessionStore, clock: Clock) -> None:
    """A name is remembered until its time, and so is no other."""
    await store.mark_used("name", clock() + 100)
    clock.now += 99
    assert await store.is_used("name")
    assert not await store.is_used("other")
    clock.now += 1
    assert not await store.is_used("name")
    await store.purge()
    assert not await store.is_used("name")


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


async def test_lease_is_kept(store: SessionStore, clock: Clock) -> None:
    """A lease that is renewed stays with its holder; one that was lost cannot be renewed."""
    fence = await store.acquire_lease("ref", 10)
    assert fence is not None
    clock.now += 9
    assert await store.renew_lease("ref", fence, 10)
    clock.now += 9
    assert await store.acquire_lease("ref", 10) is None
    clock.now += 1
    assert not await store.renew_lease("ref", fence, 10)
    assert await store.acquire_lease("ref", 10) == fence + 1
    assert not await store.renew_lease("ref", fence, 10)


async def test_new_id(store: SessionStore, clock: Clock) -> None:
    """A session that replaces another one takes its place in one step."""
    await store.create("old", session(clock, sid="one"))
    await store.create("new", session(clock, sid="two"), replaces="old")
    assert await store.load("old") is None
    stored = await store.load("new")
    assert stored
    assert stored.session.sid == "two"
    assert list(await store.find(sub="auth0|alice")) == ["new"]


async def test_find(store: SessionStore, clock: Clock) -> None:
    """Sessions are found by user and by the provider's session id, and nobody else's are."""
    await store.create("laptop", session(clock, sid="one"))
    await store.create("phone", session(clock, sid="two"))
    await store.create("bob", session(clock, sub="auth0|bob", sid=None))
    assert set(await store.find(sub="auth0|alice")) == {"laptop", "phone"}
    assert set(await store.find(sid="two")) == {"phone"}
    assert set(await store.find(sub="auth0|bob")) == {"bob"}
    assert await store.find(sid="auth0|alice") == {}
    assert await store.find(sub="two") == {}
    found = await store.find(sub="auth0|bob")
    assert found["bob"] == await store.load("bob")


async def test_find_what_is_left(store: SessionStore, clock: Clock) -> None:
    """Sessions that were deleted or have expired are not found; those in use are, to the end."""
    for ref in ("deleted", "idle", "used"):
        await store.create(ref, session(clock))
    await store.delete("deleted")
    clock.now += 60
    await store.touch("used")
    assert set(await store.find(sub="auth0|alice")) == {"idle", "used"}
    clock.now += 60
    assert set(await store.find(sub="auth0|alice")) == {"used"}


async def test_find_under_an_older_secret(
    open_store: OpenStore, clock: Clock, request: pytest.FixtureRequest
) -> None:
    """With a new secret in front, sessions of the old one are still found; without it, they are
    neither found nor opened."""
    if "memory" in request.node.name:
        pytest.skip("what is in memory ends with its process, and so with its secrets")
    await open_store().create("ref", session(clock))
    newer = "another secret, newer, of 32 characters"
    rotated = open_store(newer, SECRET)
    assert set(await rotated.find(sub="auth0|alice", sid=None)) == {"ref"}
    forgotten = open_store(newer)
    assert await forgotten.find(sub="auth0|alice") == {}
    assert await forgotten.load("ref") is None


async def test_concurrent_writers(open_store: OpenStore, clock: Clock) -> None:
    """Of twenty writers of one version, in two processes' stores, exactly one succeeds."""
    one, other = open_store(), open_store()
    await one.create("ref", session(clock))
    written = await asyncio.gather(
        *(
            store.compare_and_swap("ref", 1, session(clock, sid=str(number)))
            for number, store in enumerate([one, other] * 10)
        )
    )
    assert written.count(True) == 1
    stored = await other.load("ref")
    assert stored
    assert (stored.session.sid, stored.version) == (str(written.index(True)), 2)


async def test_news(open_store: OpenStore) -> None:
    """What one process publishes, another one that listens is told, in order."""
    one, other = open_store(), open_store()
    await one.publish("before anybody listened")
    async with aclosing(other.listen()) as news:
        assert await anext(news) == ""
        for text in ("first", "second"):
            await one.publish(text)
            assert await anext(news) == text


async def test_closed(store: SessionStore, clock: Clock) -> None:
    """A closed store stays closed, for the handlers that still run in an app that stops."""
    await store.create("ref", session(clock))
    await store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.ping()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.touch("ref")


async def test_purge_tells_of_each_session_once(store: SessionStore, clock: Clock) -> None:
    """A session that has expired is told of once; one that was used, or ended, is not."""
    for ref in ("idle", "used", "ended"):
        await store.create(ref, session(clock))
    clock.now += LIFETIMES.idle / 2
    await store.touch("used")
    await store.delete("ended")
    clock.now += LIFETIMES.idle / 2
    assert list(await store.purge()) == ["idle"]
    assert not await store.purge()
    assert await store.load("used") is not None


async def test_activity(store: SessionStore, clock: Clock) -> None:
    """The entries of a user are listed with the latest first: the last fifty, for ninety days, and
    none of another user's."""
    assert await store.activity("alice") == []
    for number in range(MOST_ACTIVITY + 2):
        clock.now += 1
        await store.add_activity("alice", Activity("logout", str(number), clock()))
    await store.add_activity("bob", Activity("logout", "bob", clock()))
    kept = await store.activity("alice")
    assert [int(entry.reason) for entry in kept] == [*range(MOST_ACTIVITY + 1, 1, -1)]
    assert [entry.reason for entry in await store.activity("bob")] == ["bob"]
    clock.now += ACTIVITY_AGE - MOST_ACTIVITY / 2
    assert 0 < len(await store.activity("alice")) < MOST_ACTIVITY
    await store.purge()
    clock.now += MOST_ACTIVITY
    assert await store.activity("alice") == []


async def test_activity_under_another_secret(open_store: OpenStore, clock: Clock) -> None:
    """The activity outlives a rotation of the secret, and is not readable without any of them."""
    newer = "another secret of more than 32 characters"
    entry = Activity("login_completed", "new", clock(), "Firefox", "Linux", "192.0.2.1", "name")
    first = open_store()
    await first.add_activity("alice", entry)
    if isinstance(first, MemorySessionStore):
        return  # another one has other memory
    assert await open_store(newer, SECRET).activity("alice") == [entry]
    assert await open_store(newer).activity("alice") == []
