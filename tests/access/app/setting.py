"""The auth layer of the app, and how its handlers say that they have run."""

import os
import time
from pathlib import Path

import reflex as rx

from .auth import (
    AuthConfig,
    AuthService,
    HttpInterceptorConfig,
    JsonLinesAuditLog,
    Limits,
    Sealer,
    SQLiteSessionStore,
)

ran = Path(os.environ["ACCESS_RAN"])
ahead = ran.with_name("ahead")


def clock() -> float:
    """Now, or as many seconds ahead as a test says."""
    return time.time() + (float(ahead.read_text()) if ahead.exists() else 0.0)


config = AuthConfig.from_environ(os.environ)
store = SQLiteSessionStore(Path(os.environ["ACCESS_DATA"]), Sealer(config.secrets), clock=clock)
api = os.environ["ACCESS_API"]
auth = AuthService(
    config,
    store,
    http_interceptor=HttpInterceptorConfig(allowed_list=[f"{api}/*"] if api else []),
    audit_hooks=[JsonLinesAuditLog(Path(path)) for path in [os.environ["ACCESS_RECORD"]] if path],
    limits=Limits.parse(os.environ["ACCESS_LIMITS"]),
    secure_by_default=os.environ["ACCESS_SECURE_BY_DEFAULT"] == "1",
    clock=clock,
)


def note(state: rx.State, what: str) -> None:
    """Say that a handler has run."""
    with ran.open("a") as file:
        file.write(f"{what}\n")
