"""The examples of `docs/routes.md` run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext
from starlette.applications import Starlette

from app.auth import LoginRequired, User, has_role

from .world import APP, World

DOCUMENT = Path(__file__).parents[2] / "docs" / "routes.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)


def run(block: str, world: World, **names: Any) -> dict[str, Any]:
    """Run an example, with what `app.auth` has and these names; the result is what it defines."""
    names |= {"auth": world.auth, "rx": rx, "has_role": has_role, "User": User}
    # Each example has an app, of which a process has one.
    with RegistrationContext.ensure_context().fork():
        exec(compile(block, DOCUMENT, "exec", dont_inherit=True), names)  # noqa: S102
    return names


@pytest.fixture
async def alice(world: World, browser: httpx.AsyncClient) -> httpx.AsyncClient:
    """Alice's browser, logged in."""
    await world.log_in(browser)
    return browser


def mount(world: World, routes: Starlette) -> None:
    """Put routes behind the gate."""
    world.inner.app = routes


async def test_starlette(world: World, alice: httpx.AsyncClient) -> None:
    """The download has what the API answers to its user; the route with a check refuses."""
    names = run(BLOCKS[0], world)
    mount(world, names["routes"])
    world.network.answers["/v1/orders"] = httpx.Response(200, json=[{"item": "tea"}])
    answer = await alice.get(f"{APP}/orders.csv")
    assert answer.text.splitlines() == ["orders of Alice Liddell", "tea"]
    assert answer.headers["content-type"].startswith("text/csv")
    refused = await alice.delete(f"{APP}/orders", headers={"Origin": APP})
    assert refused.json() == {"error": "forbidden"}


async def test_fastapi(world: World, alice: httpx.AsyncClient) -> None:
    """The dependency gives the user's claims."""
    mount(world, run(BLOCKS[1], world)["api"])
    assert (await alice.get(f"{APP}/api/me")).json() == {"name": "Alice Liddell"}
    answer = await alice.post(f"{APP}/api/orders?item=tea", headers={"Origin": APP})
    assert answer.json() == "tea for Alice Liddell"


async def test_job(world: World, alice: httpx.AsyncClient) -> None:
    """The job gets its answer for a user with a session, and `LoginRequired` for another one."""
    send_report = run(BLOCKS[2], world)["send_report"]
    world.network.answers["/v1/orders"] = httpx.Response(200, json=[])
    profile = await alice.get(f"{APP}/auth/profile", headers={"X-CSRF": "1"})
    assert await send_report(profile.json()["sub"]) == []
    with pytest.raises(LoginRequired):
        await send_report("auth0|nobody")


async def test_test(world: World) -> None:
    """The test of a route passes, and fails if the route says something else."""
    api = run(BLOCKS[1], world)["api"]
    await run(BLOCKS[3], world, api=api)["test_me"]()
    with pytest.raises(AssertionError):
        await run(BLOCKS[3].replace('== {"name": "Ann"}', '== {"name": "Bob"}'), world, api=api)[
            "test_me"
        ]()
