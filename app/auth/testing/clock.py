"""A clock for tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FakeClock:
    """Stands still until a test moves it: `clock.now += 60`. Pass it as `clock` to `AuthService`
    and to a store. `now` is in epoch seconds."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now
