"""Account: the user's sessions, ending them, and what happened to the user's logins."""

from __future__ import annotations

import reflex as rx
from reflex.vars import ObjectVar

from app.auth import Activity, Device, StoreUnavailable, User, UserScopedState
from app.auth_service import auth

from ..components.layout import layout
from ..components.local_time import iso, local_time
from ..components.problem import describe

Row = dict[str, str]

# By kind and reason of the entry.
WORDS = {
    ("login_completed", "new"): "Logged in",
    ("login_completed", "replaced"): "Logged in again",
    ("logout", "user"): "Logged out",
    ("logout", "other_device"): "Logged out from another browser",
    ("logout", "backchannel"): "Logged out by the login service",
    ("session_expired", "expired"): "Login expired",
    ("session_revoked", "invalid_grant"): "Login ended by the login service",
    ("session_revoked", "hook"): "Login ended by this app",
}


class AccountState(UserScopedState):
    """Lists the user's sessions and recent activity, and again whenever a session begins or
    ends."""

    rows: list[Row] = []
    activity: list[Row] = []
    has_activity: bool = False
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
            rows = [row(device) for device in await auth.devices(self)]
            activity = [entry(each) for each in await auth.recent_activity(self, limit=20)]
        except StoreUnavailable as error:
            await self._say(describe(error))
            return
        async with self:
            self.rows, self.has_others, self.problem = rows, len(rows) > 1, ""
            self.activity, self.has_activity = activity, len(activity) > 0

    async def _say(self, problem: str) -> None:
        async with self:
            self.problem = problem


def row(device: Device) -> Row:
    """The texts of one session's row."""
    return {
        "id": device.id,
        "name": name_of(device),
        "address": device.address,
        "seen": iso(device.last_seen_at),
        "since": iso(device.logged_in_at),
        "is_current": "yes" if device.is_current else "",
    }


def entry(activity: Activity) -> Row:
    """The texts of one entry of the recent activity."""
    return {
        "what": WORDS.get((activity.kind, activity.reason), activity.kind.replace("_", " ")),
        "name": name_of(activity),
        "address": activity.address,
        "at": iso(activity.at),
        "is_current": "yes" if activity.is_current else "",
    }


def name_of(client: Device | Activity) -> str:
    """Browser and platform, as far as they are known."""
    return " on ".join(filter(None, (client.browser, client.platform))) or "Unknown browser"


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
        rx.cond(AccountState.has_activity, recent_activity(AccountState.activity)),
        here="/account",
    )


def item(device: ObjectVar[Row]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.p(rx.el.strong(device["name"]), this_browser(device)),
            rx.el.p(
                rx.cond(
                    device["is_current"] != "",
                    "Last seen now",
                    rx.fragment("Last seen ", local_time(device["seen"])),
                ),
                class_name="muted",
            ),
            rx.el.p("Logged in ", local_time(device["since"]), place(device), class_name="muted"),
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


def recent_activity(entries: rx.Var[list[Row]] | list[Row]) -> rx.Component:
    return rx.el.section(
        rx.el.h2("Recent activity"),
        rx.el.p(
            "How your logins at this app began and ended: the last 20 entries, of up to 90 days. "
            "Failed attempts are not among them: they belong to no known user.",
            class_name="muted",
        ),
        rx.el.ol(
            rx.foreach(entries, activity_item),
            class_name="activity",
            tab_index=0,  # it scrolls, with the keyboard, too
            aria_label="Recent activity, newest first",
        ),
        class_name="card",
    )


def activity_item(entry: ObjectVar[Row]) -> rx.Component:
    return rx.el.li(
        rx.el.p(rx.el.strong(entry["what"]), this_browser(entry)),
        rx.el.p(local_time(entry["at"]), " · ", entry["name"], place(entry), class_name="muted"),
        custom_attrs={"data-testid": "activity"},
    )


def this_browser(row: ObjectVar[Row]) -> rx.Component:
    return rx.cond(row["is_current"] != "", rx.el.span("this browser", class_name="badge yes"))


def place(row: ObjectVar[Row]) -> rx.Component:
    return rx.cond(row["address"] != "", rx.fragment(" from ", rx.el.code(row["address"])))
