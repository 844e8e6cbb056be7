"""The audit trail: events about logins, sessions, tokens and access, and hooks for them."""

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
