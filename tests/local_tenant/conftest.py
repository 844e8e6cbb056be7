"""A tenant for each test, and an application that administers it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .administrator import Administrator, admin_of
from .visitor import Visitor


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    """Somebody who has not been there yet."""
    visitor = Visitor(tmp_path)
    yield visitor
    await visitor.browser.aclose()
    await visitor.application.aclose()


@pytest.fixture
def admin(visitor: Visitor) -> Administrator:
    """An application with every scope."""
    return admin_of(visitor)
