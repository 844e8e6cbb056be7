"""Records to sealed bytes and back; what cannot be opened is as good as absent."""

from __future__ import annotations

import logging

from .models import RecordError, Session, Transaction
from .sealing import Sealer, UnsealError

logger = logging.getLogger(__name__)


class Codec:
    """Seals each record for its own place, so that no row can be moved to another key."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal_session(self, ref: str, session: Session) -> bytes:
        """The sealed bytes to store under `ref`."""
        return self._sealer.seal(session.to_bytes(), context=_context("session", ref))

    def open_session(self, ref: str, sealed: bytes) -> Session | None:
        """The session, or None with a line in the log."""
        try:
            plain = self._sealer.unseal(sealed, context=_context("session", ref))
            return Session.from_bytes(plain)
        except (UnsealError, RecordError) as error:
            logger.warning("A stored session cannot be opened and is ignored: %s", error)
            return None

    def tags(self, *, sub: str | None = None, sid: str | None = None) -> tuple[str, ...]:
        """Under what the sessions of a user (`sub`) or of a session at the provider (`sid`) are
        found: one tag for each secret, the newest first."""
        return self._sealer.tags(f"sid\0{sid}" if sub is None else f"sub\0{sub}")

    def newest_tags(self, session: Session) -> tuple[str, str | None]:
        """The tags to store beside a session: of its `sub`, and of its `sid` if it has one."""
        sid = None if session.sid is None else self.tags(sid=session.sid)[0]
        return self.tags(sub=session.sub)[0], sid

    def seal_transaction(self, key: str, transaction: Transaction) -> bytes:
        """The sealed bytes to store under `key`."""
        return self._sealer.seal(transaction.to_bytes(), context=_context("transaction", key))

    def open_transaction(self, key: str, sealed: bytes) -> Transaction | None:
        """The login attempt, or None with a line in the log."""
        try:
            plain = self._sealer.unseal(sealed, context=_context("transaction", key))
            return Transaction.from_bytes(plain)
        except (UnsealError, RecordError) as error:
            logger.warning("A stored login attempt cannot be opened and is ignored: %s", error)
            return None


def _context(kind: str, key: str) -> bytes:
    return f"{kind}\0{key}".encode()
