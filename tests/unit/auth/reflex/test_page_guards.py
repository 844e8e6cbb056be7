"""Unless it is marked, no page gets by unguarded, however it was made."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx

from app.auth.access.policy import PUBLIC, SIGNED_IN
from app.auth.audit import AuditTrail
from app.auth.reflex.access_control import AccessControl
from app.auth.reflex.access_rules import AccessRules, mark
from app.auth.reflex.guard import guard_page, is_guarded_page
from app.auth.reflex.reflex_seam import pages_of


def page() -> rx.Component:
    return rx.el.p("for some")


def decorated(target: Callable[[], rx.Component]) -> Callable[[], rx.Component]:
    """What an app may put around its pages, a layout for example."""
    return functools.wraps(target)(lambda: rx.el.main(target()))


def guarded(app: rx.App, component: Any) -> Any:
    """The page as an app with access control has it."""
    audit = AuditTrail((), clock=lambda: 0.0)
    AccessControl(AccessRules(SIGNED_IN), lambda path: path, audit, clock=lambda: 0.0).install(app)
    app.add_page(component, route="/page")
    return dict(pages_of(app))["page"]


@pytest.mark.parametrize("component", [page, decorated(page), rx.el.p("a component")])
def test_guarded(app: rx.App, component: Any) -> None:
    """A function, one inside a decorator, and a finished component are guarded."""
    assert is_guarded_page(guarded(app, component))


@pytest.mark.parametrize("component", [guard_page(page), decorated(guard_page(page))])
def test_once(app: rx.App, component: Any) -> None:
    """One that is guarded already gets no second guard, only the mark of whom the tab shows."""
    assert guarded(app, component).__wrapped__ is component


def test_public(app: rx.App) -> None:
    """One that is marked as public gets no guard."""
    public = guarded(app, mark(decorated(page), PUBLIC))
    assert public.__name__ == "page"
    assert not is_guarded_page(public)


def test_page_of_reflex(app: rx.App) -> None:
    """Reflex's own page for addresses without one is not guarded: a login would lead back to it."""
    AccessControl(
        AccessRules(SIGNED_IN), lambda path: path, AuditTrail((), clock=float), clock=float
    ).install(app)
    app.add_page(route="404")
    assert not is_guarded_page(dict(pages_of(app))["404"])
