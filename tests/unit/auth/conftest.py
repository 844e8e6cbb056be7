"""Every store, each under one controllable clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from app.auth.session import (
    AccessToken,
    Lifetimes,
    MemorySessionStore,
    Sealer,
    Session,
    SessionStore,
    SQLiteSessionStore,
    Transaction,
)
from app.auth.session.redis_store import RedisSessionStore
from app.auth.testing import FakeClock as Clock

from ...redis_server import running_redis

SECRET = "a secret of more than 32 characters"
LIFETIMES = Lifetimes(idle=100.0, absolute=1000.0, transaction=60.0)


@pytest.fixture
def clock() -> Clock:
    """A clock for the store and the test."""
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the SQLite store keeps its file."""
    return tmp_path / "data" / "sessions.sqlite3"


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of the tests' own."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


OpenStore = Callable[..., SessionStore]


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def open_store(
    request: pytest.FixtureRequest, clock: Clock, file: Path
) -> AsyncIterator[OpenStore]:
    """Opens the store of a kind, each kind in turn; once more, as another process would (but for
    the one in memory, which is the first one again)."""
    stores: list[SessionStore] = []

    def opened(*secrets: str) -> SessionStore:
        sealer = Sealer(secrets or (SECRET,))
        if request.param == "redis":
            url = request.getfixturevalue("redis_url")
            prefix = f"{file}:"
            stores.append(
                RedisSessionStore(url, sealer, prefix=prefix, lifetimes=LIFETIMES, clock=clock)
            )
        elif request.param == "sqlite":
            stores.append(SQLiteSessionStore(file, sealer, lifetimes=LIFETIMES, clock=clock))
        elif not stores or secrets:
            stores.append(MemorySessionStore(sealer, lifetimes=LIFETIMES, clock=clock))
        return stores[-1]

    yield opened
    for made in dict.fromkeys(stores):
        await made.close()


@pytest.fixture
def store(open_store: OpenStore) -> SessionStore:
    """Each kind of store in turn."""
    return open_store()


def session(clock: Clock, **changes: object) -> Session:
    """A session as a login makes it."""
    token = AccessToken(
        value="access-token-value",
        audience="https://api",
        scope="read",
        refresh_at=clock() + 40,
        expires_at=clock() + 50,
        refresh_token="refresh-token-value",
    )
    fields: dict[str, object] = {
        "sub": "auth0|alice",
        "sid": "provider-sid",
        "user": {"name": "Alice", "email": "alice@example.com"},
        "access_tokens": (token,),
        "created_at": clock(),
        "state_key": "5" * 32,
    }
    return Session(**{**fields, **changes})  # type: ignore[arg-type]


def transaction(clock: Clock) -> Transaction:
    """A login attempt that began now."""
    return Transaction(
        nonce="nonce-value",
        code_verifier="verifier-value",
        redirect_uri="http://localhost:3000/auth/callback",
        return_to="/profile",
        scope="openid",
        audience=None,
        created_at=clock(),
    )
