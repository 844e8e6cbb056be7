"""An app as a user writes it, for strict mypy and strict pyright."""

# The types of Reflex's elements have gaps:
# pyright: reportUnknownMemberType=false

import os
from collections.abc import Awaitable, Callable
from typing import TypedDict, assert_type

import httpx
import reflex as rx
from reflex.event import EventCallback, EventSpec
from reflex.vars import StringVar
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.auth import (
    AuthConfig,
    AuthService,
    AuthState,
    HttpInterceptorConfig,
    Keep,
    LoggedIn,
    LoginRequired,
    MemorySessionStore,
    PendingSession,
    Principal,
    Refuse,
    RequestSession,
    Sealer,
    TokenOptions,
    User,
    UserScopedState,
    any_of,
    has_role,
    has_scope,
    verified_email,
)

API = "https://api.example.com/v1"


async def before_session(pending: PendingSession) -> Keep | Refuse:
    """Enrich or refuse a login."""
    if pending.claims.get("email") is None:
        return Refuse("An e-mail address is needed.", "no_email")
    return Keep(data={"invite": pending.parameters.get("invite")})


async def after_login(login: LoggedIn) -> None:
    """Count the logins of a user."""
    assert_type((login.sub, login.is_renewed), tuple[str, bool])


config = AuthConfig.from_environ(os.environ)
auth = AuthService(
    config,
    MemorySessionStore(Sealer(config.secrets)),
    http_interceptor=HttpInterceptorConfig(allowed_list=[f"{API}/*"]),
    default_check=[verified_email(), lambda viewer: "sub" in viewer.user],
    public_claims=["department", "https://example.com/roles"],
    before_session=before_session,
    after_login=after_login,
)


class Employee(User, total=False):
    """The claims of our own provider."""

    department: str


class Order(TypedDict):
    id: int
    title: str


def owns(viewer: Principal, state: "Orders", order_id: int) -> bool:
    """A check of the event's arguments."""
    return any(row["id"] == order_id for row in state.rows)


async def may_comment(viewer: Principal, state: "Orders") -> bool:
    """A check of the State."""
    return viewer.user["sub"] != state.title


async def load_orders(http: httpx.AsyncClient, user: Employee) -> list[Order]:
    """What the handler shows, loaded from the websocket handshake on."""
    response = await http.get(f"{API}/orders", params={"owner": user["sub"]})
    orders: list[Order] = response.raise_for_status().json()
    return orders


class Orders(UserScopedState):
    rows: rx.Field[list[Order]] = rx.field(default_factory=list[Order])
    title: rx.Field[str] = rx.field("")
    problem: rx.Field[str] = rx.field("")

    @auth.on_user_change
    async def load(self, user: User | None) -> None:
        if user is None:
            return
        assert_type(user["sub"], str)
        if not user.get("https://example.com/roles"):
            return
        try:
            async with auth.http_client(self) as http:
                response = await http.get(f"{API}/orders", params={"owner": user["sub"]})
        except LoginRequired as error:
            async with self:
                self.problem = error.remedy
            return
        async with self:
            self.rows = response.raise_for_status().json()

    @auth.on_user_change
    async def greet(self, user: Employee | None) -> None:
        async with self:
            self.title = user.get("department", "Orders") if user else ""

    @auth.on_user_change(prefetch=load_orders)
    async def reload(self, user: User | None, load: Callable[[], Awaitable[list[Order]]]) -> None:
        rows = await load() if user else []
        assert_type(rows, list[Order])
        async with self:
            self.rows = rows

    @rx.event
    @auth.require_login
    def rename(self, form: dict[str, str]) -> None:
        self.title = form["title"]

    @rx.event
    @auth.require_login
    async def clear(self) -> EventSpec:
        user = await auth.get_user(self)
        assert_type(user, User | None)
        self.rows = []
        return rx.toast.info(f"Done, {user.get('name', 'you')}" if user else "Done")

    @rx.event(background=True)
    @auth.require_login
    async def remove(self, order_id: int) -> None:
        token = await auth.get_access_token(self, TokenOptions(scope="delete:orders"))
        assert_type(token, str)
        async with self:
            self.rows = [row for row in self.rows if row["id"] != order_id]

    @rx.event
    @auth.require(has_role("admin"), any_of(has_scope("write:prices"), has_role("owner")))
    def reprice(self, factor: float) -> None: ...

    @rx.event
    @auth.require(any_of(has_role("admin"), owns), may_comment)
    def comment(self, order_id: int, text: str) -> None: ...

    @rx.event
    @auth.require_login(replay=True)
    @auth.require(lambda viewer: "email" in viewer.user)
    def order(self, title: str, count: int) -> None:
        self.title = title

    @rx.event(background=True)
    @auth.require_login(replay=True)
    async def order_later(self, title: str) -> None:
        async with self:
            self.title = title

    @rx.event
    @auth.public
    def browse(self) -> None: ...

    @rx.var
    @auth.public
    def count(self) -> int:
        return len(self.rows)


async def works_here(principal: Principal) -> bool:
    """A check of our own."""
    return "sales" in principal.scopes


@auth.require(works_here)
class Prices(rx.State):
    factor: float = 1.0


auth.require_for(Prices, "factor", checks=[has_role("admin")])


@auth.public
@auth.carry_over
class Cart(rx.State):
    items: list[str] = []


assert_type(Cart, type[Cart])
assert_type(Orders.load, EventCallback[()])


@rx.page(route="/orders")
@auth.require_login
def orders() -> rx.Component:
    return rx.el.main(
        rx.el.img(src=AuthState.user["picture"], alt=AuthState.user["name"]),
        rx.el.h1(Orders.title, " of ", AuthState.user["name"].to(str)),
        rx.el.p(AuthState.user["https://example.com/roles"].to(list[str]).join(", ")),
        rx.el.p(AuthState.user["address"].to(dict[str, str])["locality"]),
        rx.el.p(Orders.problem),
        rx.el.form(rx.el.input(name="title"), on_submit=Orders.rename),
        rx.el.button("Clear", on_click=Orders.clear),
        rx.el.button("Remove the first", on_click=Orders.remove(1)),  # type: ignore[misc]
        rx.el.button("Load again", on_click=Orders.load),
        rx.el.button("Order tea", on_click=Orders.order("tea", 2)),  # type: ignore[operator]
        rx.el.button("Half price", on_click=Orders.reprice(0.5)),  # type: ignore[operator]
        auth.logout_form(rx.el.button("Log out", type="submit")),
        auth.request_inspector(),
        on_mount=Orders.browse,
    )


@auth.public
def home() -> rx.Component:
    return rx.el.main(
        rx.cond(
            AuthState.is_authenticated,
            rx.el.p(AuthState.user["name"]),
            rx.el.a("Log in", href=auth.login_url("/orders", prompt="login"), reload_document=True),
        ),
    )


@auth.require(has_role("admin"))
def prices() -> rx.Component:
    return rx.el.p(Prices.factor)


@auth.require_login
def account() -> rx.Component:
    return rx.el.p(AuthState.user["email"])


assert_type(AuthState.user["name"].to(str), StringVar[str])
assert_type(prices, Callable[[], rx.Component])
assert_type(account, Callable[[], rx.Component])


app = rx.App()
app.add_page(home, route="/", on_load=auth.silent_login)
app.add_page(prices, route="/prices")
app.add_page(account, route="/account")
auth.install(app)


@auth.require_login_http
async def export(request: Request) -> Response:
    session = await auth.session(request)
    assert_type(session, RequestSession | None)
    async with auth.http_client_for(request) as http:
        response = await http.get(f"{API}/orders")
    return PlainTextResponse(f"{session.user['sub'] if session else ''}: {response.text}")


def counts(viewer: Principal, number: int) -> bool:
    """A check of a route's arguments."""
    return number > 0


@auth.require_http(has_role("admin"), counts)
async def count(request: Request, number: int) -> int:
    user = await auth.current_user(request)
    assert_type(user["sub"], str)
    return number


async def job(sub: str) -> int:
    async with auth.http_client_of(sub=sub) as http:
        return (await http.get(f"{API}/orders")).status_code


endpoint: Callable[[Request], Awaitable[Response]] = export
counted: Callable[[Request, int], Awaitable[int]] = count
