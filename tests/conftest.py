"""The order of the suite, and what may not outlive it."""

from __future__ import annotations

import os
import sys
import threading

import pytest

_seen: dict[str, str] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright's sync API keeps a loop, beside which no async test runs."""
    items.sort(key=lambda item: "/e2e/" in item.path.as_posix())


def pytest_runtest_logfinish(nodeid: str) -> None:
    """Note after which test a store was open for the first time."""
    for name in _stores():
        _seen.setdefault(name, nodeid)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Fail if a store is left open: its thread would keep the process from ending, for ever."""
    if left := _stores():
        tests = ", ".join(sorted({_seen.get(name, "?") for name in left}))
        sys.stderr.write(f"\nThese tests have left stores open: {tests}\n")
        sys.stderr.flush()
        os._exit(1)


def _stores() -> list[str]:
    """The threads of the stores that are open."""
    return [each.name for each in threading.enumerate() if "_connection_worker" in each.name]
