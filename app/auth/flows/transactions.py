"""Transactions: logins that a browser has started, each for one answer of the provider."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from ..errors import TransactionError
from ..session import SessionStore, Transaction


class Transactions:
    """The open transactions. They are independent: two tabs of a browser can log in at once.

    Every method raises `StoreUnavailable` when the store cannot be read or written.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    async def open(self, browser: str, state: str, transaction: Transaction) -> None:
        """Store a transaction of the browser with this id."""
        await self._store.put_transaction(_key(browser, state), transaction)

    async def take(self, browser: str | None, state: str) -> Transaction:
        """Close the transaction, and return it.

        Raises:
            TransactionError: this browser has no open transaction with that `state`.
        """
        transaction = None
        if browser is not None:
            transaction = await self._store.take_transaction(_key(browser, state))
        if transaction is None:
            raise TransactionError("No open login attempt of this browser has this state.")
        return transaction

    async def complete(self, browser: str, state: str, transaction: Transaction) -> None:
        """Keep a transaction that led to a session, without its secrets: the browser may visit the
        callback again."""
        completed = replace(transaction, nonce="", code_verifier="", kept_event=None, dpop_key=None)
        await self._store.put_transaction(_completed(browser, state), completed)

    async def return_to_of_completed(self, browser: str, state: str) -> str | None:
        """Return the path that a completed transaction led to, or None if it is unknown."""
        completed = await self._store.take_transaction(_completed(browser, state))
        if completed is None:
            return None
        # Taking removes it: put it back for the next visit.
        await self._store.put_transaction(_completed(browser, state), completed)
        return completed.return_to

    async def note_session(
        self, browser: str, session_id_hash: str, repeats: int, now: float
    ) -> None:
        """Note the session that a login of this browser has just led to, in place of an earlier
        one."""
        await self.last_session(browser)
        noted = Transaction(
            "",
            "",
            redirect_uri="",
            return_to="",
            scope="",
            audience=None,
            created_at=now,
            repeats=repeats,
            session_id_hash=session_id_hash,
        )
        await self._store.put_transaction(_session(browser), noted)

    async def last_session(self, browser: str) -> Transaction | None:
        """Take what `note_session` has noted: the session, when it began, and `repeats`."""
        return await self._store.take_transaction(_session(browser))

    async def open_logout(self, browser: str, return_to: str, now: float) -> None:
        """Keep where a logout of this browser leads, in place of what an earlier one has left."""
        await self._store.take_transaction(_logout(browser))
        kept = Transaction(
            "", "", redirect_uri="", return_to=return_to, scope="", audience=None, created_at=now
        )
        await self._store.put_transaction(_logout(browser), kept)

    async def take_logout(self, browser: str) -> str | None:
        """Return where this browser's logout leads, once; None if there was none, or long ago."""
        kept = await self._store.take_transaction(_logout(browser))
        return kept.return_to if kept else None


def _key(browser: str, state: str) -> str:
    """The store's key. Only the browser that started the login knows both `browser` and `state`."""
    return hashlib.sha256(f"login\0{browser}\0{state}".encode()).hexdigest()


def _completed(browser: str, state: str) -> str:
    return _key(browser, f"completed\0{state}")


def _session(browser: str) -> str:
    return _key(browser, "session")


def _logout(browser: str) -> str:
    return _key(browser, "logout")
