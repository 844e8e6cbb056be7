"""Events that wait for a login: what a visitor clicked, kept until the user who logs in is back.

An event is handed on three times, each time in a record that is taken once: from the refusal to the
login that it starts, with that login's transaction to the callback, and from there to the tab.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import StoreUnavailable
from ..session import SessionStore, Transaction, is_session_id

LARGEST = 8 * 1024  # bytes of an event as JSON
KEPT_FOR = 600.0  # seconds after the login


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event of the tab that has this client token: its handler's name, and its arguments."""

    name: str
    payload: Mapping[str, Any] = field(repr=False)
    client_token: str

    def to_text(self) -> str | None:
        """Return it as JSON; None if it is no JSON, or larger than `LARGEST`."""
        try:
            text = json.dumps([self.name, self.payload, self.client_token], allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            return None
        return text if len(text.encode()) <= LARGEST else None

    @classmethod
    def from_text(cls, text: str) -> KeptEvent:
        """Return the event that `to_text` wrote."""
        return cls(*json.loads(text))


class KeptEvents:
    """Keeps events among the transactions of the store: sealed, taken once, and as short-lived.

    `browser` is the hash of the cookie that a browser's tabs have in common. Without it, the id of
    an event is worthless.
    """

    def __init__(self, store: SessionStore, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def keep(self, browser: str, event: KeptEvent) -> str | None:
        """Keep an event, and return its id for the login link; None if it cannot be kept."""
        text = event.to_text()
        if text is None:
            return None
        event_id = secrets.token_urlsafe(32)
        try:
            await self._put(_key("of a browser", browser, event_id), text)
        except StoreUnavailable:
            return None  # the user logs in, and clicks again
        return event_id

    async def claim(self, browser: str | None, event_id: str | None) -> str | None:
        """Take the event with this id, for the transaction of the login that a link starts. None if
        this browser has none. Raises `StoreUnavailable`."""
        if browser is None or event_id is None or not is_session_id(event_id):
            return None
        return await self._take(_key("of a browser", browser, event_id))

    async def hand_over(self, session_id_hash: str, text: str) -> None:
        """Keep the event of a completed login for its session and its tab."""
        client_token = KeptEvent.from_text(text).client_token
        with contextlib.suppress(StoreUnavailable):  # the login is complete without it
            await self._put(_key("of a session", session_id_hash, client_token), text)

    async def take(self, session_id_hash: str, client_token: str) -> KeptEvent | None:
        """Take the event that a session has for this tab. Raises `StoreUnavailable`."""
        text = await self._take(_key("of a session", session_id_hash, client_token))
        return None if text is None else KeptEvent.from_text(text)

    async def _put(self, key: str, text: str) -> None:
        await self._store.put_transaction(
            key,
            Transaction(
                nonce="",
                code_verifier="",
                redirect_uri="",
                return_to="",
                scope="",
                audience=None,
                created_at=self._clock(),
                kept_event=text,
            ),
        )

    async def _take(self, key: str) -> str | None:
        record = await self._store.take_transaction(key)
        return None if record is None else record.kept_event


def _key(*parts: str) -> str:
    text = "\0".join(["kept event", *parts])
    return hashlib.sha256(text.encode()).hexdigest()
