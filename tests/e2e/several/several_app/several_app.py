"""An app with two login providers, which is reached under two host names."""

import os
from pathlib import Path

import reflex as rx

from .auth import (
    AuthConfig,
    AuthService,
    AuthState,
    Sealer,
    SQLiteSessionStore,
    logged_in_with,
)

providers = {name: AuthConfig.from_environ(os.environ, provider=name) for name in ("work", "club")}
store = SQLiteSessionStore(Path(os.environ["SEVERAL_DATA"]), Sealer(providers["work"].secrets))
auth = AuthService(providers=providers, store=store)


class Notes(rx.State):
    text: str = rx.LocalStorage("nothing")

    @rx.event
    def write(self, text: str) -> None:
        self.text = text


def who() -> rx.Component:
    return rx.el.p(
        AuthState.provider,
        " ",
        rx.cond(AuthState.is_authenticated, AuthState.user["email"], ""),
        id="who",
    )


@auth.public
def index() -> rx.Component:
    return rx.el.main(auth.user_menu(), who(), auth.login_popup("Log in in a window"))


def notes() -> rx.Component:
    return rx.el.main(
        auth.user_menu(),
        who(),
        rx.el.p(Notes.text, id="text"),
        rx.el.input(id="write", on_blur=Notes.write),
    )


@auth.require(logged_in_with("club"))
def lounge() -> rx.Component:
    return rx.el.main(auth.user_menu(), who(), rx.el.h1("The lounge"))


app = rx.App()
app.add_page(index, route="/")
app.add_page(notes, route="/notes")
app.add_page(lounge, route="/lounge")
auth.install(app)
