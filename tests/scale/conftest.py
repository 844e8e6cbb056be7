"""The fleet, once for all of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..e2e.conftest import browser, new_person
from .fleet import Fleet
from .fleet import fleet as new_fleet

__all__ = ["browser", "new_person"]


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Running."""
    fleet = new_fleet(tmp_path_factory.mktemp("fleet"))
    try:
        for server in fleet.servers:
            server.start()
        yield fleet
    finally:
        for server in reversed(fleet.servers):
            server.stop()
