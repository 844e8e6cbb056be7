"""Unless it is marked, no page gets by unguarded, however it was made."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx
from app.auth.reflex.connections import Connections

from app.auth import MemorySessionStore, Sealer
from app.auth.access.policy import PUBLIC
from app.auth.audit import AuditTrail
from app.auth.reflex.access_control import Access
from app.auth.reflex.access_rules import mark
from app.auth.reflex.guard import guard_page, is_guarded_page

from ..conftest import SECRET


def page() -> rx.Component:
    return rx.el.p("for some")


def decorated(target: Callable[[], rx.Component]) -> Callable[[], rx.Component]:
    """What an app may put around its pages, a layout for example."""
    return functools.wraps(target)(lambda: rx.el.main(target()))


def guarded(component: Any) -> Any:
    """The page as it is added to an app."""
    store = MemorySessionStore(Sealer((SECRET,)))
    audit = AuditTrail((), clock=lambda: 0.0)
    access = Access(
        store,
        lambda path: path,
        audit,
        Connections(),
        is_secure_by_default=True,
        clock=lambda: 0.0,
    )
    return access._guarded(component)


@pytest.mark.parametrize("component", [page, decorated(page), rx.el.p("a component")])
def test_guarded(component: Any) -> None:
    """A function, one inside a decorator, and a finished component are guarded."""
    assert is_guarded_page(guarded(component))


@pytest.mark.parametrize("component", [guard_page(page), decorated(guard_page(page))])
def test_once(component: Any) -> None:
    """One that is guarded already is left as it is."""
    assert guarded(component) is component


def test_public() -> None:
    """So is one that is marked as public."""
    assert guarded(mark(decorated(page), PUBLIC)).__name__ == "page"
    assert not is_guarded_page(guarded(mark(decorated(page), PUBLIC)))
