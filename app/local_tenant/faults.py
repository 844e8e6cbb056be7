"""Faults on demand: what goes wrong at a provider, for a time, at the endpoints that are named.

A fault is in memory: a new start of the tenant clears all. Key rotation and revoked refresh tokens
happen at once and stay.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from .database import Database
from .schema import Invalid, Schema, check
from .signing import Signer
from .users import find_user

LONGEST = 86_400  # seconds
LASTING = {
    "latency": "Answer late; value: seconds",
    "status": "Answer with a status; value: 429, 500, 502, 503 or 504",
    "drop": "Close the connection in the middle of the answer",
    "clock": "Wrong clock; value: seconds to add",
    "wrong_audience": "Tokens for another audience; value: access_token or id_token",
    "withdraw_claims": "Leave claims out of ID tokens and UserInfo; value: names",
}
"""The kinds that last, and what each does."""

AT_ONCE = {
    "rotate_keys": "Sign with a new key; value: keep (publish the old one, too) or drop",
    "revoke": "Revoke refresh tokens; value: the e-mail address of a user, or empty for all",
}
"""The kinds that happen at once."""

ENDPOINTS = (
    *("*", "/oauth/token", "/userinfo", "/api/v2/", "/authorize", "/oauth/revoke", "/oauth/par"),
    *("/oauth/device/code", "/oauth/introspect", "/activate"),
    *("/.well-known/jwks.json", "/.well-known/openid-configuration", "/u/", "/oidc/logout"),
)
"""Suggestions; an endpoint is any path, or the beginning of one that ends in a slash."""

WRONG_AUDIENCE = "https://wrong-audience.invalid/"
_STATUSES = (429, 500, 502, 503, 504)

REQUEST: Schema = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": [*LASTING, *AT_ONCE]},
        "endpoint": {"type": "string", "pattern": r"\*|/[\x21-\x7e]*", "maxLength": 200},
        "value": {"type": ["string", "number"], "maxLength": 500},
        "seconds": {"type": "number", "minimum": 0.001, "maximum": LONGEST},
        "times": {"type": "integer", "minimum": 1, "maximum": 1_000_000},
    },
    "required": ["kind"],
    "additionalProperties": False,
}
"""What is asked for, as JSON."""


@dataclass
class Fault:
    """A fault. It lasts until `until` (epoch seconds), for `times` more requests, or forever."""

    id: int
    kind: str
    endpoint: str
    value: str
    until: float | None
    times: int | None

    def concerns(self, path: str) -> bool:
        """Whether a request for this path meets it."""
        is_prefix = self.endpoint.endswith("/") and path.startswith(self.endpoint)
        return self.endpoint in ("*", path) or is_prefix


class Faults:
    """The faults of one tenant. `real_clock` gives epoch seconds, and `clock` those that the tenant
    goes by."""

    def __init__(self, real_clock: Callable[[], float]) -> None:
        self._real_clock = real_clock
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, request: dict[str, Any], database: Database, signer: Signer) -> Fault:
        """Let something go wrong. The result says what.

        Raises:
            Invalid: the request is not one of `REQUEST`, or its value does not fit its kind.
        """
        check(request, REQUEST)
        kind, value = request["kind"], str(request.get("value", "")).strip()
        _check_value(kind, value)
        seconds = request.get("seconds")
        until = None if seconds is None else self._real_clock() + seconds
        endpoint = request.get("endpoint", "*")
        fault = Fault(next(self._ids), kind, endpoint, value, until, request.get("times"))
        if kind == "rotate_keys":
            signer.rotate(keep_old=value != "drop")
        elif kind == "revoke":
            _revoke(database, value)
        else:
            with self._lock:
                self._faults = [*self._running(), fault]
        return fault

    def running(self) -> list[dict[str, Any]]:
        """The faults that last, each with the `seconds` that are left, if they are limited."""
        now = self._real_clock()
        with self._lock:
            self._faults = self._running()
            return [
                {**asdict(each), "seconds": None if each.until is None else each.until - now}
                for each in self._faults
            ]

    def remove(self, id_: int | None = None) -> None:
        """End one fault, or all."""
        with self._lock:
            self._faults = [fault for fault in self._faults if id_ not in (None, fault.id)]

    def met(self, path: str) -> list[Fault]:
        """The faults that a request for this path meets. Each is counted as used once more."""
        with self._lock:
            self._faults = self._running()
            of_answers = ("latency", "status", "drop")
            met = [each for each in self._faults if each.kind in of_answers and each.concerns(path)]
            for fault in met:
                fault.times = None if fault.times is None else fault.times - 1
            return met

    def clock(self) -> float:
        """Epoch seconds, wrong by the running offset."""
        return self._real_clock() + sum(float(value) for value in self._values("clock"))

    def audiences(self, audiences: list[str]) -> list[str]:
        """The audiences of an access token."""
        return [WRONG_AUDIENCE] if "access_token" in self._values("wrong_audience") else audiences

    def client(self, client_id: str) -> str:
        """The audience of an ID token."""
        return "wrong-client" if "id_token" in self._values("wrong_audience") else client_id

    def claims(self, claims: dict[str, Any]) -> dict[str, Any]:
        """A user's claims without those that are withdrawn."""
        values = self._values("withdraw_claims")
        withdrawn = {name for value in values for name in value.replace(",", " ").split()}
        return {name: value for name, value in claims.items() if name not in withdrawn}

    def _values(self, kind: str) -> list[str]:
        if not self._faults:
            return []
        with self._lock:
            self._faults = self._running()
            return [fault.value for fault in self._faults if fault.kind == kind]

    def _running(self) -> list[Fault]:
        now = self._real_clock()
        return [
            fault
            for fault in self._faults
            if (fault.until is None or fault.until > now) and fault.times != 0
        ]


def _check_value(kind: str, value: str) -> None:
    if kind in ("latency", "clock"):
        try:
            number = float(value)
        except ValueError:
            raise Invalid("The value has to be a number of seconds", "value") from None
        least = 0 if kind == "latency" else -LONGEST * 400
        most = 600 if kind == "latency" else LONGEST * 400
        if not least <= number <= most:
            raise Invalid(f"The value has to be from {least} to {most}", "value")
    allowed = {
        "status": tuple(map(str, _STATUSES)),
        "wrong_audience": ("access_token", "id_token"),
        "rotate_keys": ("", "keep", "drop"),
    }.get(kind)
    if allowed and value not in allowed:
        choices = ", ".join(filter(None, allowed))
        raise Invalid(f"The value has to be one of {choices}", "value")
    if kind == "withdraw_claims" and not value:
        raise Invalid("The value has to name claims", "value")


def _revoke(database: Database, email: str) -> None:
    with database.transaction() as connection:
        if not email:
            connection.execute("DELETE FROM refresh_tokens")
            return
        user = find_user(connection, email=email)
        if user is None:
            raise Invalid(f"There is no user {email}", "value")
        connection.execute("DELETE FROM refresh_tokens WHERE user_id = ?", (user.user_id,))
