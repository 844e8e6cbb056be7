"""The app's AuthService, for the pages to import."""

from __future__ import annotations

import os
from pathlib import Path

from .auth import (
    AuditHook,
    AuthService,
    JsonLines,
    RedisSessionStore,
    Sealer,
    SessionStore,
    SQLiteSessionStore,
    opentelemetry_hook,
)
from .config import (
    AUDIT_LOG,
    AUDIT_TO_OPENTELEMETRY,
    INSPECT_REQUESTS,
    LIMITS,
    config,
    http_interceptor,
)
from .generated_secret import generated_secret

DATA_DIR = Path(os.environ.get("APP_DATA_DIR", ".data"))
"""Where the sealed sessions live; keep it on a disk that survives restarts."""

_sealer = Sealer(config.secrets or (generated_secret(DATA_DIR / "secret"),))

_store: SessionStore = (
    RedisSessionStore(config.redis_url, _sealer)
    if config.redis_url
    else SQLiteSessionStore(DATA_DIR / "sessions.sqlite3", _sealer)
)

_audit_hooks: list[AuditHook] = []
if AUDIT_LOG:
    _audit_hooks.append(JsonLines(Path(AUDIT_LOG)))
if AUDIT_TO_OPENTELEMETRY:
    _audit_hooks.append(opentelemetry_hook())

auth = AuthService(
    config,
    _store,
    http_interceptor=http_interceptor,
    inspect_requests=INSPECT_REQUESTS,
    audit_hooks=_audit_hooks,
    limits=LIMITS,
)
