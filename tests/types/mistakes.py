"""Mistakes that type checkers have to report. An ignore comment without an error fails the test."""

# pyright: reportUnnecessaryTypeIgnoreComment=true, reportUnknownMemberType=false

from collections.abc import Awaitable, Callable

import reflex as rx

from app.auth import AuthState, User

from .orders import Orders, auth, load_orders


class Wrong(rx.State):
    @auth.on_user_change  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async def load(self, user: User) -> None:
        """It runs without a user, too."""

    @auth.on_user_change  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    def load_at_once(self, user: User | None) -> None:
        """It is not async."""

    @auth.on_user_change(prefetch=load_orders)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async def reload(self, user: User | None, load: Callable[[], Awaitable[int]]) -> None:
        """The loader returns something else."""

    @auth.on_user_change(prefetch=True)  # type: ignore[call-overload]  # pyright: ignore
    async def prefetch(self, user: User | None) -> None:
        """What to load cannot be known before it runs."""

    @rx.event(background=True)
    @auth.require_login
    async def read(self) -> str:
        user = await auth.get_user(self)
        if user is None:
            return ""
        user["nmae"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
        return user["name"]  # pyright: ignore[reportTypedDictNotRequiredAccess]


def number() -> int:
    """It is no page, and no handler."""
    return 1


auth.require_login_http(number)  # type: ignore[type-var]  # pyright: ignore
auth.require_login(number)  # type: ignore[arg-type]  # pyright: ignore
auth.require_login(replay=True)(number)  # type: ignore[arg-type]  # pyright: ignore
auth.require(lambda viewer: viewer.usr)  # type: ignore[attr-defined]  # pyright: ignore
AuthState.usr["name"]  # type: ignore[attr-defined]  # pyright: ignore


def page() -> rx.Component:
    return rx.el.form(
        rx.el.button("Remove", on_click=Orders.remove("1")),  # type: ignore[misc]  # pyright: ignore
        on_submit=Orders.remove,  # pyright: ignore[reportArgumentType]
    )
