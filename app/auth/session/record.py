"""What is remembered: a session with its tokens, and a login attempt that is still open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_VERSION = 1


class RecordError(Exception):
    """A stored record has an unknown version or shape."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token; `scope` is what was granted, `expires_at` is in epoch seconds."""

    value: str = field(repr=False)
    audience: str
    scope: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in user: `user` are the claims the app may show, `sid` the provider's session."""

    sub: str
    sid: str | None
    user: Mapping[str, Any] = field(repr=False)
    access_tokens: tuple[AccessToken, ...]
    refresh_token: str | None = field(repr=False)
    created_at: float

    def to_bytes(self) -> bytes:
        """The record as JSON."""
        return _dump(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Session:
        """The record that `to_bytes` wrote.

        Raises:
            RecordError: it did not.
        """
        try:
            fields = _load(data)
            tokens = tuple(AccessToken(**token) for token in fields.pop("access_tokens"))
            return cls(access_tokens=tokens, **fields)
        except (KeyError, TypeError) as error:
            raise RecordError("A session record has another shape.") from error


@dataclass(frozen=True, slots=True)
class Transaction:
    """One login attempt, from `/auth/login` to the callback."""

    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str
    return_to: str
    scope: str
    audience: str | None
    created_at: float
    max_age: int | None = None

    def to_bytes(self) -> bytes:
        """The record as JSON."""
        return _dump(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Transaction:
        """The record that `to_bytes` wrote; raises `RecordError` as `Session.from_bytes` does."""
        try:
            return cls(**_load(data))
        except TypeError as error:
            raise RecordError("A transaction record has another shape.") from error


def _dump(fields: dict[str, Any]) -> bytes:
    return json.dumps({"v": _VERSION, **fields}, separators=(",", ":")).encode()


def _load(data: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(data)
    except ValueError as error:
        raise RecordError("A record is not JSON.") from error
    if not isinstance(fields, dict) or fields.pop("v", None) != _VERSION:
        raise RecordError("A record has another version.")
    return fields
