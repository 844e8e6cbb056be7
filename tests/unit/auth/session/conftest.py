"""Both stores, each under one controllable clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.auth.session import (
    AccessToken,
    Lifetimes,
    MemorySessionStore,
    Sealer,
    Session,
    SQLiteSessionStore,
    Transaction,
)

SECRET = "a secret of more than 32 characters"
LIFETIMES = Lifetimes(idle=100.0, absolute=1000.0, transaction=60.0)


@dataclass
class Clock:
    """Time that stands still until a test moves it."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock for the store and the test."""
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the SQLite store keeps its file."""
    return tmp_path / "data" / "sessions.sqlite3"


@pytest.fixture(params=["memory", "sqlite"])
async def store(
    request: pytest.FixtureRequest, clock: Clock, file: Path
) -> AsyncIterator[SQLiteSessionStore]:
    """Each kind of store in turn."""
    sealer = Sealer((SECRET,))
    if request.param == "memory":
        made: SQLiteSessionStore = MemorySessionStore(sealer, lifetimes=LIFETIMES, clock=clock)
    else:
        made = SQLiteSessionStore(file, sealer, lifetimes=LIFETIMES, clock=clock)
    yield made
    await made.close()


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
