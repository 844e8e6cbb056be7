"""The request inspector: why each of this user's requests did or did not carry a token, live."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import reflex as rx

from .recent_requests import Row
from .state import UserScopedState


class RequestInspector(UserScopedState):
    """What the panel lists. It is this user's own, and goes when the user goes."""

    requests: list[Row] = []

    _recent: ClassVar[Callable[[rx.State], list[Row]]]

    @rx.event
    def look(self) -> None:
        """Read the list anew: on a page load, and whenever a request has been made."""
        self.requests = type(self)._recent(self)


def request_inspector() -> rx.Component:
    """The panel; put it at the end of a page."""
    return rx.el.details(
        rx.el.summary(
            "Outgoing requests ",
            rx.el.span(RequestInspector.requests.length(), class_name="count"),
        ),
        rx.cond(
            RequestInspector.requests.length() > 0,
            rx.el.ol(rx.foreach(RequestInspector.requests, _item)),
            rx.el.p("Nothing has been requested for you yet."),
        ),
        class_name="auth-inspector",
        on_mount=RequestInspector.look,
        custom_attrs={"data-testid": "request-inspector"},
    )


def _item(request: rx.Var[Row]) -> rx.Component:
    has_token = request["token"] == "token"
    return rx.el.li(
        rx.el.span(request["time"], class_name="time"),
        rx.el.code(request["request"]),
        rx.el.span(request["token"], class_name=rx.cond(has_token, "badge yes", "badge no")),
        rx.el.span(request["result"], class_name="result"),
        rx.el.span(
            request["why"],
            rx.cond(request["entry"] != "", rx.el.code(request["entry"])),
            rx.cond(request["audience"] != "", rx.fragment(" for ", rx.el.code(request["audience"]))),
            class_name="why",
        ),
    )
