"""Each outgoing request as an OpenTelemetry span and a count, where OpenTelemetry is installed."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec

from ..core.request_event import Observer, RequestEvent


def opentelemetry_observer(time_ns: Callable[[], int] = time.time_ns) -> Observer | None:
    """An observer that reports to the providers that the app has set; None when there is none.

    A span has the attributes of the HTTP semantic conventions and `auth.*` ones; the counter
    `auth.requests` counts by reason. `time_ns` gives epoch nanoseconds.
    """
    if find_spec("opentelemetry") is None:
        return None
    from opentelemetry import metrics, trace

    tracer = trace.get_tracer(__name__)
    counter = metrics.get_meter(__name__).create_counter(
        "auth.requests", description="Outgoing requests, by the decision about the access token"
    )

    def observe(event: RequestEvent) -> None:
        end = time_ns()
        span = tracer.start_span(
            event.method,
            kind=trace.SpanKind.CLIENT,
            start_time=end - int(event.milliseconds * 1_000_000),
            attributes=_attributes(event),
        )
        span.end(end)
        counter.add(1, {"auth.reason": event.reason, "auth.attached": event.attached})

    return observe


def _attributes(event: RequestEvent) -> dict[str, str | bool | int]:
    attributes: dict[str, str | bool | int | None] = {
        "http.request.method": event.method,
        "url.full": event.url,
        "http.response.status_code": event.status,
        "http.request.resend_count": event.retries or None,
        "error.type": event.error,
        "auth.attached": event.attached,
        "auth.reason": event.reason,
        "auth.entry": event.entry,
        "auth.audience": event.audience,
    }
    return {name: value for name, value in attributes.items() if value is not None}
