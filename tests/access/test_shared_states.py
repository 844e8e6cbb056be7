"""States that several tabs share: who leaves takes nothing along, and takes nothing away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from ..redis_server import running_redis
from .conftest import Walked, connected_after, running
from .raw_tab import STATE, RawTab

SHARED = f"{STATE}.reflex___istate___shared____shared_state_base_internal"
ROOM = f"{SHARED}.access_app___access_app____room"


@pytest.fixture(scope="module", params=["files", "redis"])
def app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walked]:
    """With states in files, and in Redis."""
    here = tmp_path_factory.mktemp("shared")
    redis = running_redis(here) if request.param == "redis" else nullcontext("")
    with redis as redis_url, running(here, limits="off", redis_url=redis_url) as app:
        yield app


async def test_next_user_of_a_tab(app: Walked) -> None:
    """The next user of a tab is in no room of the one before, whose other members lose nothing."""
    leaving = RawTab(app.url, await app.person("leaving"))
    staying = RawTab(app.url, await app.person("staying"))
    for tab in (leaving, staying):
        await tab.open()
        await tab.send(f"{ROOM}.join", {"text": "lobby"})
        await tab.settle()
    both = staying.expect('["of-the-one-leaving"]')
    await leaving.send(f"{ROOM}.say", {"text": "of-the-one-leaving"})
    await both
    await leaving.close()
    following = await connected_after(app, leaving, "following")
    await following.load()
    own = following.expect('["of-the-one-following"]')
    await following.send(f"{ROOM}.say", {"text": "of-the-one-following"})
    await own
    more = staying.expect('["of-the-one-leaving","of-the-one-staying"]')
    await staying.send(f"{ROOM}.say", {"text": "of-the-one-staying"})
    await more
    await following.settle()
    for tab in (following, staying):
        await tab.close()
    assert [value for _, name, value in following.values() if name == "user"]
    assert not following.hears("of-the-one-leaving")
    assert not following.hears("of-the-one-staying")
    assert not staying.hears("of-the-one-following")
