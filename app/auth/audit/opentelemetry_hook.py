"""The record as OpenTelemetry spans, and a counter to alert on."""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import ConfigError
from .event import AuditEvent, AuditHook, Kind, Outcome


def opentelemetry_hook() -> AuditHook:
    """A hook that reports to the providers that the app has set.

    Each entry is a span `auth.<kind>` (of the length that it took) inside the span that is current,
    with the attributes `user.id` and `session.id` of the semantic conventions and `auth.*` ones.
    Outgoing requests get none here: the interceptor makes a span of each. The counter `auth.events`
    counts all entries by kind, outcome and reason.

    Raises:
        ConfigError: OpenTelemetry is not installed.
    """
    if find_spec("opentelemetry") is None:
        raise ConfigError("OpenTelemetry is not installed: pip install opentelemetry-sdk.")
    from opentelemetry import metrics, trace

    tracer = trace.get_tracer(__name__)
    counter = metrics.get_meter(__name__).create_counter(
        "auth.events", description="What happened to logins, sessions, tokens and access"
    )

    def trace_event(event: AuditEvent) -> None:
        end = int(event.time * 1_000_000_000)
        span = tracer.start_span(
            f"auth.{event.kind}",
            start_time=end - int(event.milliseconds * 1_000_000),
            attributes=_attributes(event),
        )
        if event.outcome is Outcome.FAILURE:
            span.set_status(trace.StatusCode.ERROR, event.reason)
        span.end(end)

    def hook(event: AuditEvent) -> None:
        if event.kind is not Kind.INTERCEPTOR:
            trace_event(event)
        counter.add(
            1,
            {
                "auth.kind": event.kind.value,
                "auth.outcome": event.outcome.value,
                "auth.reason": event.reason,
            },
        )

    return hook


def _attributes(event: AuditEvent) -> dict[str, str]:
    attributes = {
        "auth.outcome": event.outcome.value,
        "auth.reason": event.reason,
        "auth.target": event.target,
        "auth.error_id": event.error_id,
        "user.id": event.sub,
        "session.id": event.session,
    }
    return {name: value for name, value in attributes.items() if value is not None}
