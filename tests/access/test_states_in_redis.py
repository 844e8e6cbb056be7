"""Where Reflex keeps states in Redis, an event loads only those that it needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..redis_server import running_redis
from .conftest import Walked, running
from .raw_tab import STATE, RawTab, opened_under_its_token

APP = f"{STATE}.access_app___access_app____"


@pytest.fixture(scope="module")
def in_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """The app, with its states in a Redis of its own."""
    directory = tmp_path_factory.mktemp("access_redis")
    with running_redis(directory) as url, running(directory, limits="off", redis_url=url) as app:
        yield app


async def test_state_that_no_event_loaded(in_redis: Walked) -> None:
    """When the first event of the next user of a tab loads none of the States that the one before
    has left, nothing of them is shown even so."""
    victim = RawTab(in_redis.url, await in_redis.person("vic"))
    await victim.open()
    shown = victim.expect("of-the-victim")
    await victim.send(f"{APP}guarded.write", {"text": "of-the-victim"})
    await shown
    await victim.close()
    handle = await in_redis.person("next")
    following = await opened_under_its_token(
        lambda: RawTab(in_redis.url, handle, token=victim.token), RawTab.connect
    )
    await following.settle()
    await following.load()
    await following.close()
    assert [v for _, name, v in following.values() if name == "user"]
    assert not any("of-the-victim" in frame.lower() for frame in following.heard)
