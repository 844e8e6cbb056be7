"""Whose a State is: Reflex's own are for everybody, or no page would load."""

from __future__ import annotations

import pytest
import reflex as rx

from app.auth.ui.access_marks import is_reflexs


@pytest.mark.parametrize(
    "module", ["reflex_shop", "reflex_shop.cart", "reflexes", "reflex.istate.dynamic", "shop"]
)
def test_apps_own(module: str) -> None:
    """A package may be named after Reflex, and some of an app's States stand among its own."""
    assert not is_reflexs(type("Shop", (), {"__module__": module}))


@pytest.mark.parametrize("cls", [object, rx.State, rx.ComponentState])
def test_reflexs_own(cls: type) -> None:
    """What Reflex itself defines."""
    assert is_reflexs(cls)
