"""A provider and an app that meet for the first time, under one clock."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator

import pytest

from ..flow.world import Clock
from .provider import HostileProvider
from .relying_party import RelyingParty, relying_party


@pytest.fixture
def clock() -> Clock:
    """A clock that a test can move."""
    return Clock(float(int(time.time())))


@pytest.fixture
def provider(clock: Clock) -> Iterator[HostileProvider]:
    """A provider that is straight until a test bends it."""
    provider = HostileProvider(clock)
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
async def party(provider: HostileProvider, clock: Clock) -> AsyncIterator[RelyingParty]:
    """A confidential client with a shared secret."""
    async with relying_party(provider, clock) as party:
        yield party
