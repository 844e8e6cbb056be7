"""How long a session lasts: what is accepted, and how often its use is noted."""

from __future__ import annotations

import pytest

from app.auth.errors import ConfigError
from app.auth.session import Lifetimes


@pytest.mark.parametrize(
    "values",
    [
        {"idle": 0.0},
        {"idle": -1.0},
        {"absolute": float("inf")},
        {"idle": float("nan")},
        {"transaction": 0.0},
        {"idle": 100.0, "absolute": 99.0},
    ],
)
def test_bad_values(values: dict[str, float]) -> None:
    """A lifetime that cannot work is refused, and the error names it."""
    with pytest.raises(ConfigError, match=r"Lifetimes: (idle|absolute|transaction)="):
        Lifetimes(**values)


@pytest.mark.parametrize(("idle", "interval"), [(3600.0, 60.0), (600.0, 60.0), (100.0, 10.0)])
def test_touch_interval(idle: float, interval: float) -> None:
    """The use of a session is noted once a minute, and more often if `idle` is short, so that a
    session in use does not end."""
    assert Lifetimes(idle=idle).touch_interval == interval
