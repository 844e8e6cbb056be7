"""The observers of requests: the log, OpenTelemetry and the audit hooks."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec

from ..audit import AuditTrail, Kind, Outcome
from .events import Observer, RequestEvent

logger = logging.getLogger(__name__)

_API = ("opentelemetry.trace", "opentelemetry.metrics")
# Reasons that are decisions; any other is the code of an error because of which nothing was sent.
_DECISIONS = frozenset(
    {
        "anonymous",
        "skipped",
        "own_authorization",
        "diverted",
        "excepted",
        "not_on_list",
        "odd_url",
    }
)


def is_log_enabled() -> bool:
    """Whether `log_request` writes anything at the log's present level."""
    return logger.isEnabledFor(logging.INFO)


def log_request(event: RequestEvent) -> None:
    """Write one line of JSON at INFO; its members are those of `RequestEvent`."""
    logger.info("%s", json.dumps(asdict(event)))


def audit_requests(audit: AuditTrail, sub: str | None, ref: str | None) -> Observer:
    """An observer that reports the requests of one user, in the session `ref`, to the audit hooks.

    The outcome is that of the token: attached, withheld by a decision, or not available.
    """

    def observe(event: RequestEvent) -> None:
        denied = Outcome.DENIED if event.reason in _DECISIONS else Outcome.FAILURE
        audit.record(
            Kind.INTERCEPTOR,
            Outcome.SUCCESS if event.attached else denied,
            event.reason,
            sub=sub,
            ref=ref,
            target=f"{event.method} {event.url}",
            milliseconds=event.milliseconds,
        )

    return observe


class OpenTelemetry:
    """Reports to the OpenTelemetry providers that the app has set.

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
        """None where OpenTelemetry is not installed."""
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
        "auth.token_type": event.token_type,
        "auth.client_certificate": event.client_certificate or None,
    }
    return {name: value for name, value in attributes.items() if value is not None}
