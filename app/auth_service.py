"""The app's AuthService, for the pages to import."""

from __future__ import annotations

import os
from pathlib import Path

from app.auth import (
    AuthService,
    AuthTexts,
    RedisSessionStore,
    Sealer,
    SessionStore,
    SQLiteSessionStore,
)

from .config import (
    INSPECT_REQUESTS,
    LIMITS,
    audit_hooks,
    config,
    http_interceptor,
)

DATA_DIR = Path(os.environ.get("APP_DATA_DIR", ".data"))
"""The folder of the session file and of the generated secret. Keep it on a disk that survives
restarts."""

_sealer = Sealer(config.secrets)

_store: SessionStore = (
    RedisSessionStore(config.redis_url, _sealer, lifetimes=config.session_lifetimes)
    if config.redis_url
    else SQLiteSessionStore(
        DATA_DIR / "sessions.sqlite3", _sealer, lifetimes=config.session_lifetimes
    )
)

auth = AuthService(
    config,
    _store,
    http_interceptor=http_interceptor,
    inspect_requests=INSPECT_REQUESTS,
    audit_hooks=audit_hooks,
    limits=LIMITS,
    texts=AuthTexts(only=["en"]),  # as the rest of this app
)
