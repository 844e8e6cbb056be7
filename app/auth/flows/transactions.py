"""Login attempts that are still open: each of one browser, each good for one answer."""

from __future__ import annotations

import hashlib

from ..errors import TransactionError
from ..session import SessionStore, Transaction


class LoginAttempts:
    """Attempts are independent, so two tabs can log in at once."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    async def open(self, browser: str, state: str, transaction: Transaction) -> None:
        """Remember an attempt of the browser that holds `browser`; raises `StoreUnavailable`."""
        await self._store.put_transaction(_key(browser, state), transaction)

    async def take(self, browser: str | None, state: str) -> Transaction:
        """The attempt, which is no longer open from now on.

        Raises:
            TransactionError: this browser has no open attempt with that `state`.
            StoreUnavailable: attempts cannot be read.
        """
        transaction = None
        if browser is not None:
            transaction = await self._store.take_transaction(_key(browser, state))
        if transaction is None:
            raise TransactionError("No open login attempt of this browser has this state.")
        return transaction


def _key(browser: str, state: str) -> str:
    """Only the browser that began the attempt can know both halves."""
    return hashlib.sha256(f"login\0{browser}\0{state}".encode()).hexdigest()
