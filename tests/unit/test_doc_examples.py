"""The examples of the documentation run as they stand.

Each block that is fenced as `python` runs alone, among the names that `setting` has. Its tests run
and pass, and its pages are rendered. A block that cannot run is fenced as `py`.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext

import app.auth
from app.auth import (
    AuthConfig,
    AuthorizationParams,
    AuthService,
    HttpInterceptorConfig,
    MemorySessionStore,
    Sealer,
    has_role,
)
from app.auth.testing import signed_in

SECRET = "a secret of more than 32 characters"
ROOT = Path(__file__).parents[2]
# Of these, tests of their own know more: tests/flow/test_routes_document.py.
ELSEWHERE = {"routes.md"}
PAGES = sorted(page for page in (ROOT / "docs").glob("*.md") if page.name not in ELSEWHERE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
IMPORT = re.compile(r"^(from|import) reflex_oidc\b", re.MULTILINE)
ENVIRON = {
    "AUTH0_DOMAIN": "d.example.com",
    "AUTH0_CLIENT_ID": "c",
    "AUTH0_CLIENT_SECRET": "s",
    "AUTH0_SECRET": SECRET,
    **{
        f"{name}_OIDC_{variable}": f"https://{name.lower()}.example"
        for name in ("WORK", "CLUB")
        for variable in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")
    },
}


class Example(NamedTuple):
    """A block of a page. Its first line is the page's line after `line`."""

    page: Path
    line: int
    text: str


def blocks(language: str) -> Iterator[Example]:
    """The blocks of all pages in a language."""
    for page in PAGES:
        text = page.read_text()
        for match in BLOCK.finditer(text):
            if match[1] == language:
                yield Example(page, text[: match.start(2)].count("\n"), match[2])


EXAMPLES = list(blocks("python"))


class Services:
    """Makes services, each in an app of its own: Reflex has one app in a context."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    def new_context(self) -> None:
        """Let the next app be created in a context of its own."""
        self._stack.enter_context(RegistrationContext.ensure_context().fork())

    def __call__(self, **parameters: Any) -> AuthService:
        """A service with these parameters, installed in an app."""
        wanted = AuthorizationParams(audience="https://api.example.com/")
        config = AuthConfig(
            "https://d.example.com", "c", "s", secrets=(SECRET,), authorization_params=wanted
        )
        clock = {name: parameters[name] for name in parameters.keys() & {"clock"}}
        store = MemorySessionStore(Sealer((SECRET,)), **clock)
        interceptor = HttpInterceptorConfig(["https://api.example.com/*"])
        auth = AuthService(config, store, http_interceptor=interceptor, **parameters)
        self._stack.push_async_callback(auth.aclose)
        self.new_context()
        auth.install(rx.App())
        return auth


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variables of a provider, and an empty folder to run in."""
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module for the block: Reflex resolves the annotations of States in theirs."""
    module = ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)
    return module


def setting(service: Services) -> dict[str, Any]:
    """The names that the pages take for granted: the public ones, `auth`, `app` and others."""
    public = {name: getattr(app.auth, name) for name in app.auth.__all__}
    modules = {"rx": rx, "os": os, "Path": Path, "Any": Any, "quote": quote}
    auth = service(pool=httpx.MockTransport(answer))
    url = "https://api.example.com/v1/orders"
    own = {"service": service, "auth": auth, "config": auth.config, "store": auth.store, "url": url}
    return {"reflex_oidc": app.auth, "layout": rx.el.main, **public, **modules, **own}


def answer(request: httpx.Request) -> httpx.Response:
    """The answer of the pages' APIs: a user, or an empty list."""
    is_user = request.url.path.startswith("/api/v2/users/")
    return httpx.Response(200, json={"user_metadata": {"a": 1}} if is_user else [])


def orders_of(auth: AuthService) -> type[rx.State]:
    """The State `Orders` of the pages."""

    class Orders(rx.State):
        name: str = ""
        rows: list[str] = []
        problem: str = ""

        @rx.event
        @auth.require(has_role("editor"))
        def rename(self, name: str) -> None:
            self.name = name

        @rx.event(background=True)
        async def load(self) -> None:
            async with auth.http_client(self) as http:
                response: httpx.Response = await http.get("https://api.example.com/v1/orders")
            async with self:
                if response.is_error:
                    self.problem = str(response.status_code)
                else:
                    self.rows = response.json()

    return Orders


class Caller(rx.State):
    """The State of the handler that a block with `http` is the body of."""


async def run(example: Example, names: dict[str, Any]) -> None:
    """Run a block. If it awaits, it is the body of a handler of a signed-in user."""
    source = "\n" * example.line + IMPORT.sub(r"\1 app.auth", example.text)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    # Not with the `annotations` of this file's __future__: users write without it.
    code = compile(source, str(example.page), "exec", flags=flags, dont_inherit=True)
    if not code.co_flags & inspect.CO_COROUTINE:
        exec(code, names)  # noqa: S102
        return
    scopes = "openid read:orders"
    auth = names["auth"]
    async with (
        signed_in(auth, user={"sub": "auth0|ann"}, scopes=scopes) as tab,
        auth.http_client(await tab.get_state(Caller)) as names["http"],
    ):
        await eval(code, names)  # noqa: S307


async def call_handlers(state: type[rx.State], auth: AuthService) -> None:
    """Call the background handlers of a State for a user: those that load something."""
    async with signed_in(auth, user={"sub": "auth0|ann", "email": "ann@example.com"}) as tab:
        for name, handler in state.event_handlers.items():
            if handler.is_background and not hasattr(rx.State, name):
                await tab.call(getattr(state, name))


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=lambda example: f"{example.page.stem}:{example.line}"
)
@pytest.mark.usefixtures("environ")
async def test_example(example: Example, module: ModuleType) -> None:
    """A block of a page runs, its tests pass, and its pages can be rendered."""
    async with AsyncExitStack() as stack:
        service = Services(stack)
        given, names = setting(service), vars(module)
        names.update(given)
        service.new_context()
        if "rx.App()" not in example.text:
            names["app"] = given["app"] = rx.App()
        await run(example, names)
        if "Orders" not in names:
            names["Orders"] = given["Orders"] = orders_of(names["auth"])
        made = [value for name, value in names.items() if value is not given.get(name)]
        for value in made:
            if isinstance(value, AuthService):
                stack.push_async_callback(value.aclose)
            elif inspect.iscoroutinefunction(value) and value.__name__.startswith("test_"):
                await value()
            elif inspect.isfunction(value) and value.__annotations__.get("return") is rx.Component:
                value().render()
            elif inspect.isclass(value) and issubclass(value, rx.State):
                await call_handlers(value, names["auth"])


def test_most_blocks_run() -> None:
    """Few blocks are fenced as `py`, which no test runs, and the page about tests has tests."""
    assert len(list(blocks("py"))) <= 4
    assert len(EXAMPLES) >= 20
    assert sum("async def test_" in example.text for example in EXAMPLES) >= 2
