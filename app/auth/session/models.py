"""The records in the store: sessions with their tokens, and open login transactions."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any

from ..user import copy_of

_VERSION = 4


class RecordError(Exception):
    """A stored record has an unknown version or shape."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token, and the refresh token that renews it, if there is one.

    `scope` is the granted scope. Times are epoch seconds: the token is due for refresh at
    `refresh_at`, and valid until `expires_at`. `dpop_key` is the key that a DPoP token is bound to
    (`DPoPKey.text`, with the private part); None for a Bearer token.
    """

    value: str = field(repr=False)
    audience: str
    scope: str
    refresh_at: float
    expires_at: float
    refresh_token: str | None = field(default=None, repr=False)
    dpop_key: str | None = field(default=None, repr=False)

    def covers(self, audience: str, scope: str | None, dpop: bool | None = None) -> bool:
        """Whether the token is for this audience and has all of this scope (space-separated), and
        is bound to a key (`dpop`; None: bound or not)."""
        if dpop is not None and dpop != (self.dpop_key is not None):
            return False
        return self.audience == audience and set((scope or "").split()) <= set(self.scope.split())


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a user. `user` holds the claims for the app, `sid` is the provider's session.

    `browser` and `platform` come from the `User-Agent`, and `address` is the client's network
    address at the login, so that the user can recognize the session.
    `id_token` is the latest one; it names the session to the provider at logout. `acr` and `amr`
    say how the user authenticated (OpenID Connect Core section 2).

    `provider_claims` are the claims as the provider sent them, if a hook made others of them: None
    means that they are `user`. `userinfo_claims` names those that UserInfo has and the ID token
    does not (None in a record of an earlier release). `claims_at` is when the claims were last
    complete, in epoch seconds (None: when the session began). `claims_version` counts the changes
    of them and of whatever else checks decide by. `data` is what the app keeps for itself on the
    server.

    `state_key` is the random id from which the keys of this login's state trees are derived: 128
    bits as 32 hexadecimal digits, new with each session unless the login hands on an earlier one.

    `session_expiry` is the claim of that name (IPSIE SL1), if the provider sends it: epoch seconds
    after which the session is over.

    `provider` is the name of the provider that it is of; empty if the app has one.

    `exchanged_tokens` were issued in exchange for others. Their `audience` is a name for what was
    requested.
    """

    sub: str
    sid: str | None
    user: Mapping[str, Any] = field(repr=False)
    access_tokens: tuple[AccessToken, ...]
    created_at: float
    browser: str = ""
    platform: str = ""
    id_token: str | None = field(default=None, repr=False)
    authenticated_at: float | None = None
    state_key: str = field(default_factory=partial(secrets.token_hex, 16), repr=False)
    session_expiry: float | None = None
    provider_claims: Mapping[str, Any] | None = field(default=None, repr=False)
    userinfo_claims: tuple[str, ...] | None = None
    claims_at: float | None = None
    claims_version: int = 0
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    acr: str | None = None
    amr: tuple[str, ...] = ()
    provider: str = ""

    @property
    def identity(self) -> str:
        """Whose session it is. A `sub` is unique at its provider only (OpenID Connect Core section
        5.7): two providers may have the same one for two users."""
        return json.dumps([self.provider, self.sub]) if self.provider else self.sub

    exchanged_tokens: tuple[AccessToken, ...] = ()
    address: str = ""

    @property
    def client(self) -> tuple[str, str, str]:
        """Browser, platform and address of the login; each may be empty."""
        return self.browser, self.platform, self.address

    @property
    def auth_time(self) -> float:
        """When the user authenticated at the provider or, if it does not say, logged in here; 0 if
        the login here was silent."""
        return self.created_at if self.authenticated_at is None else self.authenticated_at

    def claims(self) -> dict[str, Any]:
        """Return a copy of the claims, which the caller may change."""
        return copy_of(self.user)

    @property
    def scopes(self) -> dict[str, frozenset[str]]:
        """The scopes of the access tokens, by audience."""
        return {token.audience: frozenset(token.scope.split()) for token in self.access_tokens}

    @property
    def refresh_tokens(self) -> tuple[str, ...]:
        """The refresh tokens, each once: several access tokens may share one."""
        held = (token.refresh_token for token in self.access_tokens)
        return tuple(dict.fromkeys(token for token in held if token is not None))

    def dpop_key_of(self, refresh_token: str | None) -> str | None:
        """Return the key of the access tokens that this refresh token renews; None if they are
        Bearer tokens. After another login of the same user, a session can have two keys: the tokens
        that it has taken over are bound to the earlier one."""
        of_its = (t.dpop_key for t in self.access_tokens if t.refresh_token == refresh_token)
        return next((key for key in of_its if key is not None), None)

    def covering(
        self, audience: str, scope: str | None, dpop: bool | None = None
    ) -> AccessToken | None:
        """Return an access token for this audience whose scope includes `scope`, or None. `dpop` as
        in `AccessToken.covers`."""
        return next((t for t in self.access_tokens if t.covers(audience, scope, dpop)), None)

    def exchanged(self, name: str) -> AccessToken | None:
        """Return the exchanged token with this name, its `audience`."""
        return next((t for t in self.exchanged_tokens if t.audience == name), None)

    def with_exchanged(self, new: AccessToken, *, now: float, most: int) -> Session:
        """Return the session with an exchanged token, and with `most` of them: the latest that have
        not expired."""
        kept = [t for t in self.exchanged_tokens if t.audience != new.audience]
        valid = [t for t in kept if t.expires_at > now]
        return replace(self, exchanged_tokens=(*valid, new)[-most:])

    def with_token(self, new: AccessToken) -> Session:
        """Return the session with `new` in place of its other tokens for the audience."""
        others = (token for token in self.access_tokens if token.audience != new.audience)
        return replace(self, access_tokens=(*others, new))

    def rotated(self, used: str, successor: str | None) -> Session:
        """Return the session after the refresh token `used` was redeemed: `successor` takes its
        place (RFC 9700 section 4.14.2)."""
        tokens = (
            replace(token, refresh_token=successor) if token.refresh_token == used else token
            for token in self.access_tokens
        )
        return replace(self, access_tokens=tuple(tokens))

    def with_id_token(self, id_token: str | None) -> Session:
        """Return the session with a newer ID token, if there is one."""
        return self if id_token is None else replace(self, id_token=id_token)

    def ending_by(self, session_expiry: float | None) -> Session:
        """Return the session with a newer `session_expiry`, if that is earlier. Only another login
        moves it to a later time."""
        held = self.session_expiry
        if session_expiry is None or (held is not None and held <= session_expiry):
            return self
        return replace(self, session_expiry=session_expiry)

    def authenticated_by(self, acr: str | None, amr: tuple[str, ...]) -> Session:
        """Return the session with the `acr` and `amr` of a newer ID token of the same login. What
        that token leaves out stays."""
        return replace(self, acr=acr or self.acr, amr=amr or self.amr)

    def renewed_from(self, before: Session) -> Session:
        """Return the session with a new `claims_version` if checks may decide otherwise than before
        a refresh, though the claims are the same: by other scopes, `acr` or `amr`."""
        is_same = (self.scopes, self.acr, self.amr) == (before.scopes, before.acr, before.amr)
        if is_same or self.claims_version != before.claims_version:
            return self
        return replace(self, claims_version=before.claims_version + 1)

    def to_bytes(self) -> bytes:
        """Return the record as JSON."""
        return _dump(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Session:
        """Return the record that `to_bytes` wrote.

        A record of an earlier release has no `state_key`. It is then derived from fields that never
        change, so that every process computes the same.

        Raises:
            RecordError: the record has another version or shape.
        """
        try:
            fields = _load(data)
            if "state_key" not in fields:
                fields["state_key"] = _derived_state_key(fields)
            tokens = tuple(AccessToken(**token) for token in fields.pop("access_tokens"))
            exchanged = fields.pop("exchanged_tokens", ())
            fields["exchanged_tokens"] = tuple(AccessToken(**token) for token in exchanged)
            if fields.get("userinfo_claims") is not None:
                fields["userinfo_claims"] = tuple(fields["userinfo_claims"])
            fields["amr"] = tuple(fields.get("amr", ()))
            return cls(access_tokens=tokens, **fields)
        except (KeyError, TypeError) as error:
            raise RecordError("A session record has another shape.") from error


class LoginMode(StrEnum):
    """Where a login attempt takes place, and so where it ends."""

    REDIRECT = "redirect"  # in the page's own window: on a page, or on the page for login problems
    POPUP = "popup"  # in a window of its own, which is closed then
    SILENT = "silent"  # without asking the user anything (`prompt=none`): always on the page


@dataclass(frozen=True, slots=True)
class Transaction:
    """One login attempt, from `/auth/login` to the callback. `mode` is a `LoginMode`, `kept_event`
    what is to be done after it (`KeptEvent` as JSON), `acr_values` those that a link requests.
    `parameters` are those of the link, as the client sent them. `provider` is the name of the
    provider that was asked. `repeats` counts the logins of this browser right before it that led to
    no session cookie. `session_id_hash` is that of the session in which the login began and, of a
    completed login, that of its own session. `dpop_key` is the key that the tokens will be bound
    to, if they will."""

    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str
    return_to: str
    scope: str
    audience: str | None
    created_at: float
    max_age: int | None = None
    organization: str | None = None
    mode: str = LoginMode.REDIRECT
    kept_event: str | None = field(default=None, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    acr_values: str | None = None
    provider: str = ""
    repeats: int = 0
    session_id_hash: str | None = field(default=None, repr=False)
    dpop_key: str | None = field(default=None, repr=False)

    def to_bytes(self) -> bytes:
        """Return the record as JSON."""
        return _dump(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Transaction:
        """Return the record that `to_bytes` wrote. Raises `RecordError`, as `Session` does."""
        try:
            return cls(**_load(data))
        except TypeError as error:
            raise RecordError("A transaction record has another shape.") from error


def _derived_state_key(fields: Mapping[str, Any]) -> str:
    unchanging = json.dumps([fields["sub"], fields["sid"], fields["created_at"]])
    return hashlib.sha256(f"state key\0{unchanging}".encode()).hexdigest()[:32]


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
