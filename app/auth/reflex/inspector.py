"""The request inspector: why each of this user's requests did or did not carry a token, live."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import reflex as rx

from ..access.policy import PUBLIC
from .access_rules import mark
from .recent_requests import Row
from .state import UserScopedState


class RequestInspector(UserScopedState):
    """What the panel lists. It is this user's own, and goes when the user goes."""

    requests: list[Row] = []
    count: int = 0

    _recent: ClassVar[Callable[[rx.State], list[Row]]]

    @rx.event
    def look(self) -> None:
        """Read the list anew: on a page load, and whenever a request has been made."""
        self.requests = type(self)._recent(self)
        self.count = len(self.requests)


# Each sees their own requests; where nobody is signed in, the tab's.
mark(RequestInspector, PUBLIC)


def request_inspector() -> rx.Component:
    """The panel; put it at the end of a page."""
    return rx.el.details(
        rx.el.summary("Outgoing requests ", rx.el.span(RequestInspector.count, class_name="count")),
        rx.cond(
            RequestInspector.count > 0,
            rx.el.ol(rx.foreach(RequestInspector.requests, _item)),
            rx.el.p("Nothing has been requested for you yet."),
        ),
        class_name="auth-inspector",
        on_mount=RequestInspector.look,
        custom_attrs={"data-testid": "request-inspector"},
    )


def _item(request: rx.Var[Row]) -> rx.Component:
    return rx.el.li(
        rx.el.code(request["request"]),
        rx.el.p(
            rx.el.span(request["token"], class_name=f"badge {request['class']}"),
            rx.el.span(request["result"]),
            rx.el.span(request["time"]),
        ),
        rx.el.p(
            request["why"],
            rx.cond(request["entry"] != "", rx.fragment(" Entry: ", rx.el.code(request["entry"]))),
            rx.cond(
                request["audience"] != "",
                rx.fragment(" Audience: ", rx.el.code(request["audience"])),
            ),
        ),
    )
