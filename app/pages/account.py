"""Account: the user's sessions, and ending them."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import reflex as rx
from reflex.vars import ObjectVar

from app.auth import Device, StoreUnavailable, User, UserScopedState
from app.auth_service import auth

from ..components.layout import layout
from ..components.problem import describe

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))

Row = dict[str, str]


class AccountState(UserScopedState):
    """Lists the user's sessions, and again whenever one begins or ends."""

    rows: list[Row] = []
    has_others: bool = False
    problem: str = ""

    @auth.on_user_change
    async def list_devices(self, user: User | None) -> None:
        if user is not None:
            await self._list()

    @rx.event(background=True)
    @auth.require_login
    async def end(self, device_id: str) -> None:
        try:
            await auth.end_device(self, device_id)
        except StoreUnavailable as error:
            await self._say(describe(error))

    @rx.event(background=True)
    @auth.require_login
    async def end_others(self) -> None:
        try:
            await auth.end_other_devices(self)
        except StoreUnavailable as error:
            await self._say(describe(error))

    async def _list(self) -> None:
        try:
            rows = [row(device, time.time()) for device in await auth.devices(self)]
        except StoreUnavailable as error:
            await self._say(describe(error))
            return
        async with self:
            self.rows, self.has_others, self.problem = rows, len(rows) > 1, ""

    async def _say(self, problem: str) -> None:
        async with self:
            self.problem = problem


def row(device: Device, now: float) -> Row:
    """The texts of one row. `now` is in epoch seconds."""
    logged_in = datetime.fromtimestamp(device.logged_in_at, UTC)
    names = [name for name in (device.browser, device.platform) if name]
    return {
        "id": device.id,
        "name": " on ".join(names) or "Unknown browser",
        "seen": "now" if device.is_current else ago(now - device.last_seen_at),
        "since": logged_in.isoformat(timespec="seconds"),
        "is_current": "yes" if device.is_current else "",
    }


def ago(seconds: float) -> str:
    """A duration in seconds as text, in the largest unit that fits."""
    for size, unit in _UNITS:
        count = int(seconds // size)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "a moment ago"


def local_time(iso: rx.Var[str]) -> rx.Var[str]:
    """A time in the language and the time zone of the browser, which formats it."""
    options = "{dateStyle: 'long', timeStyle: 'short'}"
    return rx.Var(f"new Date({iso!s}).toLocaleString(undefined, {options})").to(str)


@auth.require_login
def account() -> rx.Component:
    return layout(
        rx.el.section(
            rx.el.h1("Account"),
            rx.el.p(
                "The browsers where you are logged in. Logging one out takes effect at once.",
                class_name="muted",
            ),
            rx.cond(
                AccountState.problem != "",
                rx.el.p(
                    AccountState.problem,
                    role="alert",
                    class_name="problem",
                    custom_attrs={"data-testid": "auth-error"},
                ),
            ),
            rx.el.ul(rx.foreach(AccountState.rows, item), class_name="devices"),
            rx.cond(
                AccountState.has_others,
                rx.el.p(
                    rx.el.button(
                        "Log out everywhere else",
                        class_name="button quiet",
                        on_click=AccountState.end_others,
                        custom_attrs={"data-testid": "end-others"},
                    )
                ),
            ),
            class_name="card",
        ),
        here="/account",
    )


def item(device: ObjectVar[Row]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.p(
                rx.el.strong(device["name"]),
                rx.cond(
                    device["is_current"] != "",
                    rx.el.span("this browser", class_name="badge yes"),
                ),
            ),
            rx.el.p(
                "Last seen ",
                device["seen"],
                " · logged in ",
                rx.el.time(local_time(device["since"]), date_time=device["since"]),
                class_name="muted",
            ),
        ),
        rx.cond(
            device["is_current"] == "",
            rx.el.button(
                "Log out",
                class_name="button quiet",
                on_click=AccountState.end(device["id"]),  # type: ignore[misc]
                aria_label="Log out " + device["name"].to(str),
                custom_attrs={"data-testid": "end-device"},
            ),
        ),
        custom_attrs={"data-testid": "device"},
    )
