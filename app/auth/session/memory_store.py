"""A store in memory: for tests and for an app that may forget everyone when it stops."""

from __future__ import annotations

import time
from collections.abc import Callable

from .sealing import Sealer
from .sqlite_store import SQLiteSessionStore
from .store import Lifetimes


class MemorySessionStore(SQLiteSessionStore):
    """`SessionStore` on SQLite's in-memory database: the same statements, the same promises."""

    def __init__(
        self,
        sealer: Sealer,
        *,
        lifetimes: Lifetimes | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(None, sealer, lifetimes=lifetimes, clock=clock)
