"""Checks that take arguments, and the default check: what is refused when it is defined."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import reflex as rx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.auth import (
    AuthConfig,
    AuthService,
    ConfigError,
    MemorySessionStore,
    Principal,
    Sealer,
    any_of,
    has_role,
    verified_email,
)
from app.auth.testing import AccessDenied, session_cookie, signed_in, visitor

from ..conftest import SECRET

CONFIG = AuthConfig(
    "https://d.example.com",
    "c",
    "s",
    secrets=(SECRET,),
    app_base_url="https://app.example.com",
    app_api_url="https://app.example.com",
)


def service(**options: Any) -> AuthService:
    return AuthService(CONFIG, MemorySessionStore(Sealer((SECRET,))), **options)


auth = service()

NewService = Callable[..., AuthService]


@pytest.fixture
async def new_service() -> AsyncIterator[NewService]:
    """Makes services that sign users in, and closes their stores."""
    async with AsyncExitStack() as stack:

        def new(**options: Any) -> AuthService:
            made = service(**options)
            stack.push_async_callback(made.aclose)
            return made

        yield new


def owns(viewer: Principal, state: rx.State, order_id: str) -> bool:
    return viewer.user["sub"] == order_id


def knows_state(viewer: Principal, state: rx.State) -> bool:
    return isinstance(state, rx.State)


def page() -> rx.Component:
    return rx.el.p("An order")


def new_page() -> Callable[[], rx.Component]:
    """A page of its own: marks stay on a function."""
    return lambda: rx.el.p("An order")


def cancel(self: rx.State, order_id: str) -> None: ...


def rename(self: rx.State, name: str, *order_id: str, **more: str) -> None: ...


def move(self: rx.State, order_id: str, state: str) -> None: ...


def attach(self: rx.State, files: list[rx.UploadFile]) -> None: ...


async def attach_big(self: rx.State, files: rx.UploadChunkIterator) -> None: ...


class Plain(rx.State):
    note: str = ""


@pytest.mark.parametrize(
    ("define", "words"),
    [
        (lambda: auth.require(owns)(rename), ["owns(state, order_id)", "takes order_id", "rename"]),
        (lambda: auth.require(any_of(has_role("x"), owns))(rename), ["role x or owns", "order_id"]),
        (lambda: auth.require(owns)(page), ["owns", "page", "no event handler"]),
        (lambda: auth.require(knows_state)(page), ["knows_state", "page", "no event handler"]),
        (lambda: auth.require(owns)(Plain), ["owns", "Plain", "no event handler"]),
        (lambda: auth.require(owns)(move), ["move", "'state'", "rename the argument"]),
        (lambda: auth.require_for(Plain, "note", checks=[knows_state]), ["Plain.note", "state"]),
        (lambda: auth.require_http(owns)(plain), ["owns", "endpoint plain", "state, order_id"]),
        (lambda: auth.require_login(replay=True)(page), ["page", "replayed"]),  # type: ignore[arg-type]
        (lambda: auth.require_login(replay=True)(attach), ["attach", "files", "replayed"]),
        (lambda: auth.require_login(replay=True)(attach_big), ["attach_big", "files"]),
        (lambda: auth.on_user_change(prefetch=True)(cancel), ["prefetch=True", "async function"]),  # type: ignore[call-overload]
        (lambda: auth.on_user_change(prefetch=None)(cancel), ["prefetch=None", "async function"]),  # type: ignore[call-overload]
    ],
)
def test_refused(define: Callable[[], Any], words: list[str]) -> None:
    """An error that names the check and the target says at definition that the arguments are not
    there: of a handler without them, a page, a State, a variable, a route; that pages and uploads
    are not replayed; and that `prefetch` is a function."""
    with pytest.raises(TypeError) as raised:
        define()
    assert all(word in str(raised.value) for word in words), raised.value


async def plain(request: Request) -> Response:
    return PlainTextResponse("done")


def test_accepted() -> None:
    """What a handler has, a check may take: `state`, and arguments with a default. A parameter of
    the check that has a default is not an argument."""

    def is_admin(viewer: Principal, role: str = "admin") -> bool:
        return role == "admin"

    auth.require(owns, knows_state, is_admin)(cancel)
    auth.require(is_admin)(new_page())


async def test_computed_variable(app: rx.App) -> None:
    """A computed variable looks like a handler when it is defined: that its check takes the State
    is said when the app starts."""

    class Summary(rx.State):
        @rx.var
        @auth.require(knows_state)
        def total(self) -> int:
            return 1

    own = service()
    own.install(app)
    with pytest.raises(TypeError, match=r"Summary\.total"):
        own._wiring.access.start()


async def test_default_of_a_check(app: rx.App, new_service: NewService) -> None:
    """A client cannot choose what a check has as the default of a parameter, though the handler
    has an argument of that name."""
    own = new_service()

    class Names(rx.State):
        @rx.event
        @own.require(lambda viewer, role="admin": role in viewer.user["roles"])
        def assign(self, role: str) -> None: ...

    own.install(app)
    async with signed_in(own, user={"sub": "ann"}, roles=["reader"]) as tab:
        with pytest.raises(AccessDenied):
            await tab.call(Names.assign, "reader")


async def test_tab(app: rx.App, new_service: NewService) -> None:
    """The tab of an app's own tests decides by arguments, too."""
    own = new_service()

    class Orders(rx.State):
        @rx.event
        @own.require(owns)
        def cancel(self, order_id: str) -> str:
            return order_id

    own.install(app)
    async with signed_in(own, user={"sub": "ann"}) as tab:
        assert await tab.call(Orders.cancel, "ann") == ["ann"]
        with pytest.raises(AccessDenied, match=r"owns\(state, order_id\)"):
            await tab.call(Orders.cancel, "ben")


def own_order(viewer: Principal, request: Request) -> bool:
    return bool(viewer.user["sub"] == request.path_params["order_id"])


async def test_route(app: rx.App, new_service: NewService) -> None:
    """The check of a route gets the endpoint's arguments."""
    own = new_service()
    own.install(app)
    endpoint = own.require_http(own_order)(plain)
    routes = Starlette(routes=[Route("/orders/{order_id}", endpoint)])
    cookie = await session_cookie(own, {"sub": "ann"})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(own.asgi(routes)),
        base_url="https://app.example.com",
        headers={"Cookie": f"{cookie['name']}={cookie['value']}"},
    ) as client:
        statuses = [(await client.get(f"/orders/{each}")).status_code for each in ("ann", "ben")]
        assert statuses == [200, 403]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"default_check": owns}, ["default_check", "owns", "order_id"]),
        ({"default_check": [knows_state]}, ["default_check", "state"]),
        ({"default_check": verified_email(), "secure_by_default": False}, ["secure_by_default"]),
    ],
)
def test_default_check_refused(options: dict[str, Any], words: list[str]) -> None:
    """A default check takes no arguments, and does not stand beside a public default."""
    with pytest.raises(ConfigError) as raised:
        service(**options)
    assert all(word in str(raised.value) for word in words)


@pytest.mark.parametrize("default", [verified_email(), [verified_email()]])
async def test_default_check(app: rx.App, default: Any, new_service: NewService) -> None:
    """The default check holds where there is no mark and where a login is required, and not where
    another mark is; the surface report shows it."""
    own = new_service(default_check=default)

    class Reports(rx.State):
        rows: list[str] = []

        @rx.event
        def read(self) -> str:
            return "read"

        @rx.event
        @own.require_login
        def write(self) -> str:
            return "write"

        @rx.event
        @own.require_login(replay=True)
        def order(self) -> str:
            return "order"

        @rx.event
        @own.require()
        def confirm(self) -> str:
            return "confirm"

        @rx.event
        @own.public
        def look(self) -> str:
            return "look"

    app.add_page(new_page(), route="/a")
    app.add_page(own.require_login(new_page()), route="/b")
    app.add_page(own.public(new_page()), route="/c")
    own.install(app)
    rules = {entry.name.rpartition(".")[2]: entry.rule for entry in own.surface()}
    checked = "signed in and verified e-mail"
    assert {name: rules[name] for name in ("read", "write", "order", "confirm", "look")} == {
        "read": checked,
        "write": checked,
        "order": f"{checked}, replayed after a login",
        "confirm": "signed in",
        "look": "public",
    }
    assert (rules["rows"], rules["/a"], rules["/b"], rules["/c"]) == (checked,) * 3 + ("public",)
    async with signed_in(own, user={"sub": "ann"}) as tab:
        for handler in (Reports.read, Reports.write, Reports.order):
            with pytest.raises(AccessDenied, match="verified e-mail"):
                await tab.call(handler)
        assert await tab.call(Reports.confirm) == ["confirm"]
    async with signed_in(own, user={"sub": "ann", "email_verified": True}) as tab:
        assert await tab.call(Reports.read) == ["read"]
    async with visitor(own) as tab:
        assert await tab.call(Reports.look) == ["look"]


async def test_default_check_of_routes(new_service: NewService) -> None:
    """A route that requires a login requires the default check, too."""
    own = new_service(default_check=verified_email())
    routes = Starlette(routes=[Route("/export", own.require_login_http(plain))])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(own.asgi(routes)), base_url="https://app.example.com"
    ) as client:
        for user, status in ({"sub": "ann"}, 403), ({"sub": "ann", "email_verified": True}, 200):
            cookie = await session_cookie(own, user)
            headers = {"Cookie": f"{cookie['name']}={cookie['value']}"}
            assert (await client.get("/export", headers=headers)).status_code == status
