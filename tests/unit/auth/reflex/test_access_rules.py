"""Whose a State and a setter are: Reflex's own States are for everybody, or no page would load."""

from __future__ import annotations

import pytest
import reflex as rx
from reflex.vars import Var
from reflex_base.registry import RegistrationContext

from app.auth.access.checks import has_role
from app.auth.access.policy import PUBLIC, SIGNED_IN, Rule
from app.auth.reflex.access_rules import AccessRules, is_reflexs, mark, mark_variables

ADMIN = Rule(checks=(has_role("admin"),))


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


class Account(rx.State):
    """`set_limit` and `set_note` are made as Reflex makes setters (`state_auto_setters`)."""

    limit: int = 0
    note: str = ""


mark(Account, PUBLIC)
mark_variables(Account, {"limit": ADMIN})
for variable in ("limit", "note"):
    Account._add_event_handler(f"set_{variable}", Var("")._get_setter(variable))


@pytest.mark.parametrize(("setter", "rule"), [("set_limit", ADMIN), ("set_note", PUBLIC)])
def test_setter_that_reflex_makes(setter: str, rule: Rule) -> None:
    """Those who may see a variable may call the setter that Reflex has made for it; no others."""
    name = f"{Account.get_full_name()}.{setter}"
    registered = RegistrationContext.get().event_handlers[name]
    assert AccessRules(SIGNED_IN).of_handler(name, registered) == rule
