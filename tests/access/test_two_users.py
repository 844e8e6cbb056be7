"""Whatever two users do in turns, neither tab nor thief hears what is the other's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ..redis_server import running_redis
from .conftest import Walked, running
from .two_users import Scene

BROWSER = st.integers(0, 2)
COOKIE = st.integers(0, 3)
USER = st.integers(0, 1)
TAB = st.integers(0, 5)
HANDLER = st.sampled_from(["write", "write_async", "write_slowly", "write_later", "write_bound"])

STEP = st.one_of(
    st.tuples(st.just("log_in"), BROWSER, USER),
    st.tuples(st.just("log_out"), BROWSER),
    st.tuples(st.just("end_elsewhere"), BROWSER),
    st.tuples(st.just("open"), BROWSER),
    st.tuples(st.just("close"), TAB),
    st.tuples(st.just("reconnect"), TAB, COOKIE),
    st.tuples(st.just("steal"), TAB, COOKIE),
    st.tuples(st.just("write"), TAB, HANDLER),
    st.tuples(st.just("write"), TAB, HANDLER),
    st.tuples(st.just("read"), TAB),
)
Steps = list[tuple[Any, ...]]
BEGIN: Steps = [("log_in", 0, 0), ("log_in", 1, 1), ("log_in", 2, 0)]
BEGIN += [("open", 0), ("open", 1), ("open", 2), ("open", 2)]
TURNS: Steps = [("write", 2, "write"), ("read", 2), ("write", 3, "write_bound"), ("log_in", 2, 1)]
TURNS += [("write", 2, "write_later"), ("log_in", 2, 0), ("reconnect", 0, 1), ("reconnect", 1, 3)]


Backends = tuple[Walked, ...]


@pytest.fixture(scope="module", params=["files", "memory", "redis"])
def backends(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backends]:
    """One, with Reflex's states in files or in memory; or two that share them in Redis."""
    one, other = (tmp_path_factory.mktemp(f"{request.param}-{name}") for name in ("one", "other"))
    if request.param != "redis":
        with running(one, limits="off", state_manager=request.param) as app:
            yield (app,)
        return
    with (
        running_redis(tmp_path_factory.mktemp("redis")) as url,
        running(one, limits="off", redis_url=url) as here,
        running(other, limits="off", redis_url=url, data=here.store_file) as there,
    ):
        yield here, there


async def play(backends: Backends, steps: Steps) -> None:
    """Perform the steps, and look after each."""
    scene = Scene(backends)
    try:
        for name, *arguments in steps:
            await getattr(scene, name)(*arguments)
            await scene.check()
    finally:
        for tab in scene.tabs:
            await tab.raw.close()


@settings(
    derandomize=True,
    max_examples=15,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@example(steps=TURNS)
@given(steps=st.lists(STEP, min_size=5, max_size=25))
def test_two_users(backends: Backends, steps: Steps) -> None:
    """A connection hears only what is of the user whose connection it is, and a tab shows the
    latest of its own user."""
    asyncio.run(play(backends, [*BEGIN, *steps]))
