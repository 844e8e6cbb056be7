"""The record of what happened to logins, sessions, tokens and access, and whom it is told to."""

from __future__ import annotations

from .event import AuditEvent, AuditHook, Kind, Outcome, session_name
from .json_lines import JsonLines
from .opentelemetry_hook import opentelemetry_hook
from .trail import AuditTrail

__all__ = [
    "AuditEvent",
    "AuditHook",
    "AuditTrail",
    "JsonLines",
    "Kind",
    "Outcome",
    "opentelemetry_hook",
    "session_name",
]
