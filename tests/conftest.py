"""The order of the suite."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright's sync API keeps a loop, beside which no async test runs."""
    items.sort(key=lambda item: "/e2e/" in item.path.as_posix())
