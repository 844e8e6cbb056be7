"""The examples of docs/testing.md run as they stand."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext

from app.auth import (
    AuthConfig,
    AuthService,
    HttpInterceptorConfig,
    MemorySessionStore,
    Sealer,
    has_role,
)

from ..conftest import SECRET

PAGE = Path(__file__).parents[4] / "docs" / "testing.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)

Service = Callable[..., AuthService]


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """Makes the service of an app, with these parameters."""
    made = []

    def make(**parameters: Any) -> AuthService:
        config = AuthConfig(
            domain="d.example.com", client_id="c", client_secret="s", secrets=(SECRET,)
        )
        clock = {name: parameters[name] for name in parameters.keys() & {"clock"}}
        store = MemorySessionStore(Sealer((SECRET,)), **clock)
        interceptor = HttpInterceptorConfig(["https://api.example.com/*"])
        made.append(AuthService(config, store, http_interceptor=interceptor, **parameters))
        made[-1].install(rx.App())
        return made[-1]

    with RegistrationContext.ensure_context().fork():
        yield make
        for each in made:
            await each.aclose()


def orders_of(auth: AuthService) -> type[rx.State]:
    """The State that the page is about."""

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


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
async def test_example(example: str, service: Service) -> None:
    """Each example of the page runs, and its tests pass."""
    names: dict[str, Any] = {"service": service}
    if "auth = " not in example:
        names["auth"] = service()
    exec(compile(example, str(PAGE), "exec"), names)  # noqa: S102
    names["Orders"] = orders_of(names["auth"])
    for name, value in list(names.items()):
        if name.startswith("test_") and inspect.iscoroutinefunction(value):
            await value()


def test_there_are_examples() -> None:
    """The page has examples with tests."""
    assert sum("async def test_" in example for example in EXAMPLES) >= 2
