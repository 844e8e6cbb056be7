"""What happened to the logins of a user, as it is kept in the store."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from .models import RecordError

MOST_ACTIVITY = 50  # entries of one user; older ones are dropped
ACTIVITY_AGE = 90 * 86_400.0  # seconds after which an entry is dropped


@dataclass(frozen=True, slots=True)
class Activity:
    """One entry of a user's recent activity: a login began or ended.

    `kind` and `reason` are those of the `AuditEvent`: `login_completed` (`new`, `replaced`),
    `logout` (`user`, `other_device`, `backchannel`), `session_expired` (`expired`), or
    `session_revoked` (`invalid_grant`, `hook`). `at` is in epoch seconds. `browser`, `platform` and
    `address` are those of the login, as in `Device`. `session` is the name that the audit trail has
    for its session, and `is_current` marks entries about the session that the list was requested
    for.
    """

    kind: str
    reason: str
    at: float
    browser: str = ""
    platform: str = ""
    address: str = ""
    session: str = ""
    is_current: bool = False

    def to_bytes(self) -> bytes:
        """Return the entry as JSON."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Activity:
        """Return the entry that `to_bytes` wrote. Raises `RecordError` if it has another shape."""
        try:
            return cls(**json.loads(data))
        except (TypeError, ValueError) as error:
            raise RecordError("An entry of the activity has another shape.") from error
