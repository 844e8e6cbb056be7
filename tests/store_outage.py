"""An outage of the session store, made from outside of the app."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def store_away(file: Path) -> Iterator[None]:
    """Every statement of the app fails meanwhile: another program has renamed the tables."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        names = [
            name
            for (name,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        ]
        sessions = [key for (key,) in database.execute("SELECT ref FROM sessions")]
        for name in names:
            database.execute(f'ALTER TABLE "{name}" RENAME TO "away_{name}"')
        with Path(f"{file}-changes").open("a") as changes:  # what the app has cached is out of date
            changes.writelines(f"{key}\n" for key in sessions)
        try:
            yield
        finally:
            for name in names:
                database.execute(f'ALTER TABLE "away_{name}" RENAME TO "{name}"')
