"""The app's AuthService, for the pages to import."""

from __future__ import annotations

import os
from pathlib import Path

from .auth import AuthService, Sealer, SQLiteSessionStore
from .config import INSPECT_REQUESTS, config, http_interceptor
from .generated_secret import generated_secret

DATA_DIR = Path(os.environ.get("APP_DATA_DIR", ".data"))
"""Where the sealed sessions live; keep it on a disk that survives restarts."""

_sealer = Sealer(config.secrets or (generated_secret(DATA_DIR / "secret"),))

auth = AuthService(
    config,
    SQLiteSessionStore(DATA_DIR / "sessions.sqlite3", _sealer),
    http_interceptor=http_interceptor,
    inspect_requests=INSPECT_REQUESTS,
)
