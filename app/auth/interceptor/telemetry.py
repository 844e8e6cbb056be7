"""Each outgoing request as an OpenTelemetry span and a count, where OpenTelemetry is installed."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec

from ..request_event import RequestEvent

_API = ("opentelemetry.trace", "opentelemetry.metrics")


class OpenTelemetry:
    """Reports to the providers that the app has set.

    A span has the attributes of the HTTP semantic conventions and `auth.*` ones; the counter
    `auth.requests` counts by reason. `time_ns` gives epoch nanoseconds.
    """

    def __init__(self, time_ns: Callable[[], int] = time.time_ns) -> None:
        from opentelemetry import metrics, trace

        self._time_ns = time_ns
        self._kind = trace.SpanKind.CLIENT
        self._tracer = trace.get_tracer(__name__)
        self._counter = metrics.get_meter(__name__).create_counter(
            "auth.requests", description="Outgoing requests, by the decision about the access token"
        )
        self._providers = (trace.get_tracer_provider, metrics.get_meter_provider)

    @classmethod
    def if_installed(cls) -> OpenTelemetry | None:
        """None where there is no OpenTelemetry."""
        return cls() if find_spec("opentelemetry") else None

    def has_provider(self) -> bool:
        """Whether the app has set one by now. The API's own, which drop all, do not count."""
        return not all(type(provider()).__module__.startswith(_API) for provider in self._providers)

    def observe(self, event: RequestEvent) -> None:
        """Report a request that has just ended."""
        end = self._time_ns()
        span = self._tracer.start_span(
            event.method,
            kind=self._kind,
            start_time=end - int(event.milliseconds * 1_000_000),
            attributes=_attributes(event),
        )
        span.end(end)
        self._counter.add(1, {"auth.reason": event.reason, "auth.attached": event.attached})


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
