"""Another app, which imports the installed library."""

import asyncio
import os
from pathlib import Path
from typing import Any

import reflex as rx
from reflex_oidc import (
    AuthConfig,
    AuthService,
    AuthState,
    HttpInterceptorConfig,
    Refuse,
    Sealer,
    SQLiteSessionStore,
    UserScopedState,
    claim,
    has_role,
    second_factor,
)
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

config = AuthConfig.from_environ(os.environ)
store = SQLiteSessionStore(Path(os.environ["NOTES_DATA"]), Sealer(config.secrets))


async def before_session(pending):
    if "refuse" in pending.parameters:
        return Refuse(f"No entry: {pending.parameters['refuse']}", "no_entry")
    return None


API = os.environ["NOTES_API"]
auth = AuthService(
    config,
    store,
    before_session=before_session,
    http_interceptor=HttpInterceptorConfig(allowed_list=[f"{API}/v1/*"]),
)
auth.proxy("/api/orders", to=f"{API}/v1/orders", methods=["GET", "POST"])
auth.proxy("/api/*", to=f"{API}/v1/*", methods=["GET", "PUT"])


async def pause(name):
    """Wait until a test says to go on; when none listens, go on."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", os.environ["NOTES_PAUSES"])
    except OSError:
        return
    writer.write(f"{name}\n".encode())
    await reader.readline()
    writer.close()


@auth.public
class Journal(rx.State):
    """Not scoped to the user, so that it remembers who came and went."""

    runs: list[str] = []

    @auth.on_user_change
    async def follow(self, user):
        name = user["nickname"] if user else "nobody"
        await pause(f"follow {name}")
        async with self:
            self.runs = [*self.runs, name]
        raise RuntimeError("a subscriber that fails")

    @rx.event(background=True)
    async def look_later(self):
        await pause("look later")
        return Journal.look

    @rx.event
    def look(self):
        """An event like any other."""


@auth.require(has_role("admin"))
class Plans(rx.State):
    """Of administrators, and for nobody else to see."""

    plan: str = "no plan"

    @rx.event
    def make(self):
        self.plan = "to the moon"


class Tokens(rx.State):
    """Asks for an access token, as a call of an API does."""

    asked: int = 0

    @rx.event(background=True)
    async def ask(self):
        await auth.get_access_token(self)
        async with self:
            self.asked += 1


class Notes(UserScopedState):
    """A handler of each kind, guarded."""

    done: list[str] = []

    @rx.event
    @auth.require_login
    def plain(self, text: str):
        self.done = [*self.done, f"plain {text}"]

    @rx.event
    @auth.require_login
    async def coroutine(self):
        self.done = [*self.done, "coroutine"]
        return Notes.plain("chained")

    @rx.event
    @auth.require_login
    def generator(self):
        self.done = [*self.done, "generator"]
        yield
        self.done = [*self.done, "generator again"]
        return Notes.plain("returned")

    @rx.event
    @auth.require_login
    async def async_generator(self):
        self.done = [*self.done, "async generator"]
        yield

    @rx.event(background=True)
    @auth.require_login
    async def background(self):
        async with self:
            self.done = [*self.done, "background"]

    @rx.event(background=True)
    @auth.require_login
    async def slow(self):
        async with self:
            self.done = [*self.done, "slow began"]
        try:
            await pause("slow")
            async with self:
                self.done = [*self.done, "slow ended"]
        finally:
            await pause("slow is over")


class Basket(UserScopedState):
    """What a visitor puts into it is there after the login."""

    items: list[str] = []

    @rx.event
    @auth.require_login(replay=True)
    def add(self, item: str):
        self.items = [*self.items, item]


@auth.public
def index():
    return rx.el.main(
        rx.el.p(rx.cond(AuthState.is_loading, "loading", "ready"), id="ready"),
        rx.el.p(Journal.runs.join(","), id="runs"),
        rx.el.p(Notes.done.join(","), id="done"),
        rx.el.p(Basket.items.join(","), id="basket"),
        rx.el.button("add to basket", on_click=Basket.add("tea")),
        rx.el.button("plain", on_click=Notes.plain("x")),
        rx.el.button("coroutine", on_click=Notes.coroutine),
        rx.el.button("generator", on_click=Notes.generator),
        rx.el.button("async generator", on_click=Notes.async_generator),
        rx.el.button("background", on_click=Notes.background),
        rx.el.button("slow", on_click=Notes.slow),
        rx.el.button("look later", on_click=Journal.look_later),
        rx.el.button("ask for a token", on_click=Tokens.ask),
        rx.el.a("export", href="/export.csv", reload_document=True),
        rx.el.a("log in", href=auth.login_url("/"), reload_document=True),
        auth.logout_form(rx.el.button("log out")),
        style={"padding_top": "12rem"},  # below the messages of the subscriber that fails
    )


@auth.require(claim("nickname", "alice"))
def alices():
    return rx.el.main(
        rx.el.p("For Alice alone", id="alices"),
        rx.el.p(rx.cond(AuthState.is_loading, "loading", "ready"), id="ready"),
    )


@auth.require(has_role("admin"))
def admins():
    return rx.el.main(
        rx.el.p("For administrators", id="admins"),
        rx.el.p(AuthState.user["name"].to(str), id="name"),
        rx.el.p(Plans.plan, id="plan"),
        rx.el.p(Journal.runs.join(","), id="runs"),
        rx.el.button("plan", on_click=Plans.make),
        rx.el.button("ask for a token", on_click=Tokens.ask),
        style={"padding_top": "12rem"},
    )


class Transfer(rx.State):
    """A form whose fields send changes to the State, and whose handler wants a second factor."""

    amount: str = ""
    urgent: bool = False
    plan: str = "slow"
    heard: str = ""
    sent: str = ""

    @rx.event
    def set_amount(self, amount: str):
        self.amount = amount

    @rx.event
    def set_urgent(self, urgent: bool):
        self.urgent = urgent

    @rx.event
    def set_plan(self, plan: str):
        self.plan = plan

    @rx.event
    def hear(self, text: str):
        self.heard = text

    @rx.event
    @auth.require(second_factor())
    def send(self):
        self.sent = f"{self.amount} {self.plan} {self.urgent}"


def transfer_form():
    return rx.el.main(
        rx.el.p(rx.cond(AuthState.is_loading, "loading", "ready"), id="ready"),
        rx.el.p(AuthState.user["email"], id="email"),
        rx.el.input(id="amount", value=Transfer.amount, on_change=Transfer.set_amount),
        rx.el.input(
            name="urgent", type="checkbox", on_change=Transfer.set_urgent, checked=Transfer.urgent
        ),
        rx.el.select(
            *[rx.el.option(plan, value=plan) for plan in ("slow", "fast")],
            name="plan",
            value=Transfer.plan,
            on_change=Transfer.set_plan,
        ),
        rx.el.textarea(name="reason", on_change=Transfer.hear),
        rx.el.input(name="plain"),
        rx.el.input(name="plain"),
        rx.el.input(name="side", type="radio", value="left", default_checked=True),
        rx.el.input(name="side", type="radio", value="right"),
        rx.el.input(name="pin", type="password"),
        rx.el.input(name="code", auto_complete="off"),
        rx.el.div(rx.el.input(name="note"), custom_attrs={"data-auth-keep": "no"}),
        rx.el.button("send", on_click=Transfer.send),
        rx.el.p(Transfer.sent, id="sent"),
        rx.el.p(Transfer.heard, id="heard"),
        auth.login_link("log in"),
        auth.logout_form(rx.el.button("log out")),
    )


@auth.public
def transfer():
    return transfer_form()


@auth.require(second_factor())
def vault():
    return transfer_form()


class OrderGrid(rx.Component):
    """A component whose own script fetches, as those of npm packages do."""

    tag = "OrderGrid"
    url: rx.Var[str]
    events: rx.Var[str]
    files: rx.Var[str]
    fetcher: rx.Var[Any]

    def add_imports(self):
        return {"react": ["createElement", "useEffect", "useState"]}

    def add_custom_code(self):
        return [(Path(__file__).parent / "order_grid.js").read_text()]


@auth.public
def orders():
    return rx.el.main(
        rx.el.p(rx.cond(AuthState.is_loading, "loading", "ready"), id="ready"),
        OrderGrid.create(
            url=auth.proxied(f"{API}/v1/orders"),
            events=auth.proxied(f"{API}/v1/events"),
            files=auth.proxied(f"{API}/v1/files/"),
            fetcher=auth.proxied_fetch,
        ),
        rx.image(src=auth.proxied(f"{API}/v1/logo.png"), id="logo"),
        rx.el.a("report", href=auth.proxied(f"{API}/v1/report.csv"), reload_document=True),
        rx.el.a("log in", href=auth.login_url("/orders"), reload_document=True),
        auth.logout_form(rx.el.button("log out")),
    )


@auth.require_login_http
async def export(request):
    session = await auth.session(request)
    headers = {"Content-Disposition": 'attachment; filename="export.csv"'}
    return PlainTextResponse(f"name\n{session.user['nickname']}\n", headers=headers)


app = rx.App(api_transformer=Starlette(routes=[Route("/export.csv", export)]))
app.add_page(index, route="/")
app.add_page(alices, route="/alices")
app.add_page(admins, route="/admins")
app.add_page(transfer, route="/transfer")
app.add_page(vault, route="/vault")
app.add_page(orders, route="/orders")
auth.install(app)
