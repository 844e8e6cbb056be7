"""The record as a file."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from app.auth import ConfigError, JsonLines
from app.auth.audit import AuditEvent, Kind, Outcome

EVENT = AuditEvent(
    *(Kind.ACCESS, Outcome.DENIED, "forbidden", 1_800_000_000.25),
    sub="auth0|ann",
    target="evil\n{}",
    milliseconds=1.23,
)


def test_line(tmp_path: Path) -> None:
    """Each entry is one line of JSON, whatever it holds, with an RFC 3339 time."""
    hook = JsonLines(tmp_path / "new" / "audit.jsonl")
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
    JsonLines(tmp_path / "audit.jsonl")
    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600


def test_rotated(tmp_path: Path) -> None:
    """After the file was moved away, entries go into a new one."""
    hook = JsonLines(tmp_path / "audit.jsonl")
    (tmp_path / "audit.jsonl").rename(tmp_path / "audit.jsonl.1")
    hook(EVENT)
    assert (tmp_path / "audit.jsonl").read_text().count("\n") == 1
    assert not (tmp_path / "audit.jsonl.1").read_text()


def test_cannot_be_written(tmp_path: Path) -> None:
    """A path that cannot be written to is named when the app starts, and not when it counts."""
    with pytest.raises(ConfigError, match=f"The audit log {tmp_path} cannot be written: Is a dir"):
        JsonLines(tmp_path)
