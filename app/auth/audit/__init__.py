"""The audit trail: what happened to logins, sessions, tokens and access, and the hooks for it."""

from __future__ import annotations

from .hooks import JsonLinesAuditLog, OpenTelemetryAuditLog
from .trail import AuditEvent, AuditHook, AuditTrail, Kind, Outcome, session_name

__all__ = [
    "AuditEvent",
    "AuditHook",
    "AuditTrail",
    "JsonLinesAuditLog",
    "Kind",
    "OpenTelemetryAuditLog",
    "Outcome",
    "session_name",
]
