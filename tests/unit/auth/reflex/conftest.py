"""An app for each test: a process has one, unless its registrations are forked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext


@pytest.fixture
def app() -> Iterator[rx.App]:
    """A Reflex app that is not running."""
    with RegistrationContext.ensure_context().fork():
        yield rx.App()
