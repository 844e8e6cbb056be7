"""The record in OpenTelemetry."""

from __future__ import annotations

from opentelemetry.trace import StatusCode

from app.auth import opentelemetry_hook
from app.auth.audit import AuditEvent, Kind, Outcome

from ..telemetry import telemetry


def test_span_and_count() -> None:
    """Each entry is a span of the time that it took, with what is known, and is counted."""
    told = telemetry()
    hook = opentelemetry_hook()
    hook(
        AuditEvent(
            *(Kind.TOKEN_REFRESH, Outcome.SUCCESS, "refreshed", 10.0),
            sub="auth0|ann",
            session="5f0c",
            target="https://api.example.com/",
            milliseconds=250.0,
        )
    )
    (span,) = told.spans()
    assert span.name == "auth.token_refresh"
    assert (span.start_time, span.end_time) == (9_750_000_000, 10_000_000_000)
    assert span.attributes == {
        "auth.outcome": "success",
        "auth.reason": "refreshed",
        "auth.target": "https://api.example.com/",
        "user.id": "auth0|ann",
        "session.id": "5f0c",
    }
    counted = {
        "auth.kind": "token_refresh",
        "auth.outcome": "success",
        "auth.reason": "refreshed",
    }
    assert counted in told.counted("auth.events")


def test_failure() -> None:
    """What did not work is a span with an error, by its reason; a denial is none."""
    hook = opentelemetry_hook()
    hook(AuditEvent(Kind.LOGIN_COMPLETED, Outcome.FAILURE, "invalid_state", 10.0, error_id="ab"))
    hook(AuditEvent(Kind.ACCESS, Outcome.DENIED, "forbidden", 10.0))
    failure, denial = telemetry().spans()
    assert (failure.status.status_code, failure.status.description) == (
        *(StatusCode.ERROR, "invalid_state"),
    )
    assert (failure.attributes or {})["auth.error_id"] == "ab"
    assert denial.status.status_code is StatusCode.UNSET
