"""The hooks that come with the layer: a file of JSON lines, and OpenTelemetry."""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from ..errors import ConfigError
from .trail import AuditEvent, Kind, Outcome

# With O_APPEND, processes that share the file do not overwrite each other's lines.
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT


class JsonLinesAuditLog:
    """Appends each event to a file as one JSON object per line (https://jsonlines.org).

    The file gets mode 0600. Several processes may share it: each event is a single write. The file
    is opened for each event, so it can be rotated at any time. Empty members are left out; `time`
    is in UTC (RFC 3339).

    Raises:
        ConfigError: the file cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, _FLAGS, 0o600))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigError(f"The audit log {path} cannot be written: {reason}.") from None

    def __call__(self, event: AuditEvent) -> None:
        """Append the event."""
        descriptor = os.open(self._path, _FLAGS, 0o600)
        try:
            os.write(descriptor, _line(event))
        finally:
            os.close(descriptor)


class OpenTelemetryAuditLog:
    """Reports each event to the OpenTelemetry providers that the app has set.

    An event becomes a span `auth.<kind>` inside the current span. The span ends at the event's time
    and lasts `milliseconds`. Its attributes are `user.id` and `session.id` of the semantic
    conventions, and `auth.*`. Outgoing requests get no span here: the interceptor makes one for
    each. The counter `auth.events` counts all events by kind, outcome and reason.

    Raises:
        ConfigError: OpenTelemetry is not installed.
    """

    def __init__(self) -> None:
        if find_spec("opentelemetry") is None:
            raise ConfigError("OpenTelemetry is not installed: pip install opentelemetry-sdk.")
        # Imported here, since OpenTelemetry is optional.
        from opentelemetry import metrics, trace

        self._tracer = trace.get_tracer(__name__)
        self._error = trace.StatusCode.ERROR
        self._counter = metrics.get_meter(__name__).create_counter(
            "auth.events", description="What happened to logins, sessions, tokens and access"
        )

    def __call__(self, event: AuditEvent) -> None:
        """Make a span for the event, and count it."""
        if event.kind is not Kind.INTERCEPTOR:
            self._add_span(event)
        labels = {
            "auth.kind": event.kind.value,
            "auth.outcome": event.outcome.value,
            "auth.reason": event.reason,
        }
        self._counter.add(1, labels)

    def _add_span(self, event: AuditEvent) -> None:
        # OpenTelemetry takes times in integer nanoseconds.
        end = int(event.time * 1_000_000_000)
        start = end - int(event.milliseconds * 1_000_000)
        span = self._tracer.start_span(
            f"auth.{event.kind}", start_time=start, attributes=_attributes(event)
        )
        if event.outcome is Outcome.FAILURE:
            span.set_status(self._error, event.reason)
        span.end(end)


def _line(event: AuditEvent) -> bytes:
    values = {name: value for name, value in dataclasses.asdict(event).items() if value}
    values["time"] = datetime.fromtimestamp(event.time, UTC).isoformat(timespec="milliseconds")
    if event.milliseconds:
        values["milliseconds"] = round(event.milliseconds, 1)
    return json.dumps(values).encode() + b"\n"


def _attributes(event: AuditEvent) -> dict[str, str]:
    attributes = {
        "auth.outcome": event.outcome.value,
        "auth.reason": event.reason,
        "auth.target": event.target,
        "auth.error_id": event.error_id,
        "auth.check": event.check,
        "auth.provider": event.provider,
        "user.id": event.sub,
        "session.id": event.session,
    }
    return {name: value for name, value in attributes.items() if value is not None}
