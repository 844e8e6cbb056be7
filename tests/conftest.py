"""The order of the suite, and what may not outlive it."""

from __future__ import annotations

import os
import sys
import threading

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright's sync API keeps a loop, beside which no async test runs."""
    items.sort(key=lambda item: "/e2e/" in item.path.as_posix())


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Fail if a store is left open: its thread would keep the process from ending, for ever."""
    left = [each.name for each in threading.enumerate() if "_connection_worker" in each.name]
    if left:
        sys.stderr.write(f"\nA test has left {len(left)} stores open.\n")
        os._exit(1)
