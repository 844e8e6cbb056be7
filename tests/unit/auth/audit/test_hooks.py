"""The hooks that come with the layer."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from opentelemetry.trace import StatusCode

from app.auth import ConfigError, JsonLinesAuditLog, OpenTelemetryAuditLog
from app.auth.audit import AuditEvent, Kind, Outcome

from ..telemetry import telemetry

EVENT = AuditEvent(
    *(Kind.ACCESS, Outcome.DENIED, "forbidden", 1_800_000_000.25),
    sub="auth0|ann",
    target="evil\n{}",
    milliseconds=1.23,
)


def test_line(tmp_path: Path) -> None:
    """Each entry is one line of JSON, whatever it holds, with an RFC 3339 time."""
    hook = JsonLinesAuditLog(tmp_path / "new" / "audit.jsonl")
    hook(EVENT)
    hook(EVENT)
    lines = (tmp_path / "new" / "audit.jsonl").read_text().splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0]) == {
        "kind": "access",
        "outcome": "denied",
        "reason": "forbidden",
        "time": "2027-01-15T08:00:00.250+00:00",
        "sub": "auth0|ann",
        "target": "evil\n{}",
        "milliseconds": 1.2,
    }


def test_private(tmp_path: Path) -> None:
    """Only its owner may read it."""
    JsonLinesAuditLog(tmp_path / "audit.jsonl")
    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600


def test_rotated(tmp_path: Path) -> None:
    """After the file was moved away, entries go into a new one."""
    hook = JsonLinesAuditLog(tmp_path / "audit.jsonl")
    (tmp_path / "audit.jsonl").rename(tmp_path / "audit.jsonl.1")
    hook(EVENT)
    assert (tmp_path / "audit.jsonl").read_text().count("\n") == 1
    assert not (tmp_path / "audit.jsonl.1").read_text()


def test_cannot_be_written(tmp_path: Path) -> None:
    """A path that cannot be written to is named when the app starts, and not when it counts."""
    with pytest.raises(ConfigError, match=f"The audit log {tmp_path} cannot be written: Is a dir"):
        JsonLinesAuditLog(tmp_path)


def test_span_and_count() -> None:
    """Each entry is a span of the time that it took, with what is known, and is counted."""
    told = telemetry()
    hook = OpenTelemetryAuditLog()
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
    hook = OpenTelemetryAuditLog()
    hook(AuditEvent(Kind.LOGIN_COMPLETED, Outcome.FAILURE, "invalid_state", 10.0, error_id="ab"))
    hook(AuditEvent(Kind.ACCESS, Outcome.DENIED, "forbidden", 10.0))
    failure, denial = telemetry().spans()
    assert (failure.status.status_code, failure.status.description) == (
        *(StatusCode.ERROR, "invalid_state"),
    )
    assert (failure.attributes or {})["auth.error_id"] == "ab"
    assert denial.status.status_code is StatusCode.UNSET
