"""A limit on wrong passwords and secrets, for each account and for each address; and on sign-ups.

The counters are in memory: they are bounded in number, and a new start clears them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

WITHIN = 300.0  # seconds
PER_ACCOUNT = 10
PER_ADDRESS = 100
SIGN_UPS = 50  # of an address
_KEPT = 10_000  # counters


@dataclass
class Guesses:
    """Counts wrong guesses, or whatever else there may be too many of. `clock` gives seconds."""

    clock: Callable[[], float]
    per_account: int = PER_ACCOUNT
    _counts: OrderedDict[tuple[str, str], tuple[int, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_blocked(self, kind: str, account: str, address: str) -> bool:
        """Whether there were too many. Then the right one is refused, too."""
        account_key, address_key = _keys(kind, account, address)
        with self._lock:
            return (
                self._count(account_key) >= self.per_account
                or self._count(address_key) >= PER_ADDRESS
            )

    def wrong(self, kind: str, account: str, address: str) -> None:
        """Count one. The time runs from the first."""
        with self._lock:
            for key in _keys(kind, account, address):
                count = self._count(key)
                since = self._counts[key][1] if count else self.clock()
                self._counts[key] = (count + 1, since)
                self._counts.move_to_end(key)
            while len(self._counts) > _KEPT:
                self._counts.popitem(last=False)

    def right(self, kind: str, account: str, address: str) -> None:
        """Forget those of the account, not those of the address."""
        with self._lock:
            self._counts.pop(_keys(kind, account, address)[0], None)

    def _count(self, key: tuple[str, str]) -> int:
        count, since = self._counts.get(key, (0, 0.0))
        return count if self.clock() < since + WITHIN else 0


def _keys(kind: str, account: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (kind, account.strip().lower()[:320]), (f"{kind} from", address)
