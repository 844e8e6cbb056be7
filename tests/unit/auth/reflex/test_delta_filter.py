"""What is sent again when the claims of a user have changed."""

from __future__ import annotations

import pytest
import reflex as rx

from app.auth.access.checks import has_role, rule_of
from app.auth.access.policy import SIGNED_IN
from app.auth.reflex.access_rules import AccessRules, mark
from app.auth.reflex.delta_filter import values_with_checks
from app.auth.reflex.reflex_seam import new_state_tree


@pytest.mark.usefixtures("app")
async def test_values_with_checks() -> None:
    """Each State sends what Reflex sends of it: neither what it inherits, for which the rule of the
    State that defines it holds, nor a computed variable that stays on the server."""

    class Salaries(rx.State):
        highest: str = "for the boss"

    class Hours(Salaries):
        total: str = "for the clerk"

        @rx.var
        def shown(self) -> str:
            return f"shown {self.total}"

        @rx.var(backend=True)
        def internal(self) -> str:
            return "for the server"

    mark(Salaries, rule_of([has_role("boss")]))
    mark(Hours, rule_of([has_role("clerk")]))
    values = await values_with_checks(AccessRules(SIGNED_IN), new_state_tree())
    assert values[Salaries.get_full_name()] == {"highest_rx_state_": "for the boss"}
    assert values[Hours.get_full_name()] == {
        "total_rx_state_": "for the clerk",
        "shown_rx_state_": "shown for the clerk",
    }
