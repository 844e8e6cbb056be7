"""The record as a file: one JSON object on each line (https://jsonlines.org)."""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from ..errors import ConfigError
from .event import AuditEvent

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT


class JsonLines:
    """A hook that appends to a file which only its owner may read.

    Several processes may share the file: each entry is one write. It is opened for each, so that
    whoever rotates it needs to tell nobody. Members that are not known are left out; `time` is
    RFC 3339 in UTC.

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
        """Append it."""
        descriptor = os.open(self._path, _FLAGS, 0o600)
        try:
            os.write(descriptor, _line(event))
        finally:
            os.close(descriptor)


def _line(event: AuditEvent) -> bytes:
    values = {name: value for name, value in dataclasses.asdict(event).items() if value}
    values["time"] = datetime.fromtimestamp(event.time, UTC).isoformat(timespec="milliseconds")
    if event.milliseconds:
        values["milliseconds"] = round(event.milliseconds, 1)
    return json.dumps(values).encode() + b"\n"
