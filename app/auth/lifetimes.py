"""How long a session lasts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .errors import ConfigError

TOUCH_INTERVAL = 60.0  # seconds between two updates of `last_seen_at`: most uses write nothing
_TOUCHES_IN_IDLE = 10  # at least: with a short `idle`, a session in use must not end between two


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Lifetimes in seconds. A session ends `idle` after its last use and `absolute` after login. A
    transaction (a login that has not returned yet) ends after `transaction`.

    Raises:
        ConfigError: a lifetime is not positive and finite, or `idle` exceeds `absolute`.
    """

    idle: float = 3 * 24 * 3600.0
    absolute: float = 30 * 24 * 3600.0
    transaction: float = 600.0

    def __post_init__(self) -> None:
        """Check them."""
        values = {"idle": self.idle, "absolute": self.absolute, "transaction": self.transaction}
        problems = [
            f"Lifetimes: {name}={value} is not a positive number of seconds."
            for name, value in values.items()
            if not (value > 0 and math.isfinite(value))
        ]
        if not problems and self.idle > self.absolute:
            problems.append(
                f"Lifetimes: idle={self.idle} exceeds absolute={self.absolute}: it never applies."
            )
        if problems:
            raise ConfigError(problems)

    @property
    def touch_interval(self) -> float:
        """Seconds between two updates of a session's `last_seen_at`."""
        return min(TOUCH_INTERVAL, self.idle / _TOUCHES_IN_IDLE)


def check_store_lifetimes(of_store: Lifetimes, configured: Lifetimes) -> None:
    """Check that configured lifetimes have reached the store, which ends the sessions. A store may
    have its own if none are configured.

    Raises:
        ConfigError: they have not.
    """
    if configured not in (Lifetimes(), of_store):
        raise ConfigError(
            f"The configuration has session lifetimes of {configured.idle:.0f} seconds idle and "
            f"{configured.absolute:.0f} absolute, but the store has {of_store.idle:.0f} and "
            f"{of_store.absolute:.0f}. Pass lifetimes=config.session_lifetimes to the store."
        )
