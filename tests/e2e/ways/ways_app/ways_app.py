"""An app that logs users in silently, and in a window of its own."""

import asyncio
import os
from pathlib import Path

import reflex as rx

from .auth import (
    AllowedRoute,
    AuthConfig,
    AuthService,
    AuthState,
    ConsentRequired,
    HttpInterceptorConfig,
    Sealer,
    SQLiteSessionStore,
    TokenOptions,
    UserScopedState,
)

ORDERS = TokenOptions("http://127.0.0.1:4401/api/", "read:messages")

config = AuthConfig.from_environ(os.environ)
store = SQLiteSessionStore(Path(os.environ["WAYS_DATA"]), Sealer(config.secrets))
auth = AuthService(
    config,
    store,
    http_interceptor=HttpInterceptorConfig(
        allowed_list=[AllowedRoute("https://orders.example/*", token_options=ORDERS)]
    ),
    silent_login=True,
)


@auth.carry_over
@auth.public
class Draft(rx.State):
    title: str = ""

    @rx.event
    def change(self, title: str) -> None:
        self.title = title


class Note(UserScopedState):
    """The editor of docs/access.md, with a slow store."""

    text: str = "tea"
    is_editing: bool = False
    problem: str = ""

    @rx.event
    def edit(self) -> None:
        self.is_editing = True

    @rx.event
    def restore(self, draft: dict[str, str]) -> None:
        self.text, self.is_editing, self.problem = draft["text"], True, "Not saved."

    @rx.event
    async def save(self, form: dict[str, str]) -> rx.event.EventSpec:
        await asyncio.sleep(1)
        self.text, self.is_editing, self.problem = form["note"], False, ""
        return auth.forget_draft("note")


class Orders(rx.State):
    status: str = "not sent"
    ask_url: str = ""

    @rx.event(background=True)
    async def send(self) -> None:
        try:
            await auth.get_access_token(self, ORDERS)
        except ConsentRequired as error:
            async with self:
                self.status, self.ask_url = "needs consent", error.login_url or ""
            return
        async with self:
            self.status, self.ask_url = "sent", ""


def form() -> rx.Component:
    return rx.fragment(
        rx.el.input(id="title", value=Draft.title, on_change=Draft.change),
        rx.el.textarea(id="note"),
        rx.el.p(Draft.title, id="kept"),
    )


@auth.public
def index() -> rx.Component:
    return rx.el.main(
        rx.cond(AuthState.is_loading, rx.el.p("loading"), rx.el.p("ready", id="ready")),
        auth.user_menu(),
        form(),
        auth.login_popup("Log in here", id="popup"),
        rx.el.p("The details", id="details", style={"margin_top": "120rem"}),
    )


@auth.public
def orders() -> rx.Component:
    return rx.el.main(auth.user_menu(), rx.el.a("start", href="/"))


@auth.public
def problem() -> rx.Component:
    return rx.el.main(auth.login_problem())


def send() -> rx.Component:
    return rx.el.main(
        rx.el.p(auth.user_name(), id="name"),
        form(),
        rx.el.button("Send", on_click=Orders.send),
        rx.el.p(Orders.status, id="status"),
        rx.cond(Orders.ask_url != "", auth.login_popup("Allow it", url=Orders.ask_url)),
    )


def note() -> rx.Component:
    field = auth.draft_field("note", since=Note.text)
    editor = rx.el.form(
        rx.el.textarea(name="note", default_value=Note.text, id="editor", custom_attrs=field),
        rx.el.p(Note.problem, id="problem"),
        rx.el.button("Save"),
        on_submit=Note.save,
    )
    return rx.el.main(
        auth.draft("note", on_restore=Note.restore),
        rx.cond(Note.is_editing, editor, rx.el.p(Note.text, id="text")),
        rx.el.button("Edit", on_click=Note.edit),
    )


app = rx.App()
app.add_page(index, route="/")
app.add_page(orders, route="/orders")
app.add_page(send, route="/send")
app.add_page(note, route="/note")
app.add_page(problem, route=auth.error_path)
auth.install(app)
