"""Transactions: logins that a browser has begun, each good for one answer of the provider."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from ..errors import TransactionError
from ..session import SessionStore, Transaction


class Transactions:
    """They are independent of each other, so two tabs of a browser can log in at once.

    Every method raises `StoreUnavailable` when they cannot be read or written.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    async def open(self, browser: str, state: str, transaction: Transaction) -> None:
        """Begin a transaction of the browser with this id."""
        await self._store.put_transaction(_key(browser, state), transaction)

    async def take(self, browser: str | None, state: str) -> Transaction:
        """The transaction, which is no longer open from now on.

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
        """Remember, without its secrets, a transaction that led to a session: its callback may be
        visited once more."""
        completed = replace(transaction, nonce="", code_verifier="")
        await self._store.put_transaction(_completed(browser, state), completed)

    async def return_to_of_completed(self, browser: str, state: str) -> str | None:
        """Where a transaction led that was completed a while ago; None if it is not known."""
        completed = await self._store.take_transaction(_completed(browser, state))
        if completed is None:
            return None
        await self._store.put_transaction(_completed(browser, state), completed)
        return completed.return_to


def _key(browser: str, state: str) -> str:
    """Only the browser that began the attempt can know both halves."""
    return hashlib.sha256(f"login\0{browser}\0{state}".encode()).hexdigest()


def _completed(browser: str, state: str) -> str:
    return _key(browser, f"completed\0{state}")
