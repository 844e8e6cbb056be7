"""Checks that look at the arguments of an event and at the State of its handler."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ..cookies import session_cookie
from .conftest import OpenTab, Walked
from .raw_tab import STATE, RawTab

ORDERS = f"{STATE}.access_app___access_app____orders"


async def done(walked: Walked, tab: RawTab, name: str, payload: Any) -> list[str]:
    """Call a handler of the orders; what has run since."""
    before = len(walked.lines())
    await tab.send(f"{ORDERS}.{name}", payload)
    await tab.settle()
    await tab.settle()  # what that one has started
    return walked.lines()[before:]


@pytest.mark.parametrize(
    "name", ["cancel", "cancel_slowly", "cancel_later", "look_into", "cancel_last", "set_chosen"]
)
async def test_own(walked: Walked, tab: OpenTab, name: str) -> None:
    """A handler of each kind runs for the arguments that the user may use it with, and for no
    others; values that make the check raise are none of them."""
    ann = await tab(await walked.person("ann", nickname="ann"))
    assert await done(walked, ann, name, {"order_id": "1"}) == [f"{name} 1"]
    for other in ("2", "3", "", None, ["1"], {"1": "1"}, 1):
        assert await done(walked, ann, name, {"order_id": other}) == []
    for odd in ({}, {"order_id": "1", "state": {"owners": {"2": "ann"}}}, {"viewer": "ann"}):
        assert await done(walked, ann, name, odd) == []
    assert ann.hears("You may not do this.")


async def test_visitor(walked: Walked, tab: OpenTab) -> None:
    """A visitor is sent to log in, whatever the check would say."""
    visitor = await tab()
    assert await done(walked, visitor, "cancel", {"order_id": "1"}) == []
    assert visitor.hears("/auth/login")


async def test_default(walked: Walked, tab: OpenTab) -> None:
    """An argument that is absent has the handler's default in the check, too."""
    ben = await tab(await walked.person("ben", nickname="ben"))
    assert await done(walked, ben, "cancel_last", {}) == ["cancel_last 2"]


async def test_any_of(walked: Walked, tab: OpenTab) -> None:
    """An alternative that needs no arguments stands beside one that does."""
    admin = await tab(await walked.person("adm", nickname="adm", roles=["admin"]))
    assert await done(walked, admin, "look_into", {"order_id": "2"}) == ["look_into 2"]
    assert await done(walked, admin, "cancel", {"order_id": "2"}) == []


async def test_setvar(walked: Walked, tab: OpenTab) -> None:
    """Reflex's `setvar`, which calls a setter with a value, is no way round its check."""
    ann = await tab(await walked.person("ann", nickname="ann"))
    for value, lines in (("1", ["set_chosen 1"]), ("2", []), (None, [])):
        assert await done(walked, ann, "setvar", {"var_name": "chosen", "value": value}) == lines


async def test_converted(walked: Walked, tab: OpenTab) -> None:
    """A check gets what the handler gets: converted by its annotation, with the handler's State."""
    ann = await tab(await walked.person("ann"))
    assert await done(walked, ann, "pack", {"size": "small"}) == ["pack Size.SMALL"]
    for size in ("large", "SMALL", "Size.SMALL", None, 0, {}):
        assert await done(walked, ann, "pack", {"size": size}) == []


async def test_chained(walked: Walked, tab: OpenTab) -> None:
    """An event that a public handler starts is decided about by its own arguments."""
    ann = await tab(await walked.person("ann", nickname="ann"))
    assert await done(walked, ann, "cancel_for", {"order_id": "2"}) == []
    assert await done(walked, ann, "cancel_for", {"order_id": "1"}) == ["cancel 1"]


async def test_on_load(walked: Walked, tab: OpenTab) -> None:
    """What a page loads is decided about by the address that the handler itself sees."""
    ann = await tab(await walked.person("ann", nickname="ann"))
    before = len(walked.lines())
    for order_id in ("2", "3", "1"):
        await ann.load(f"/shown?id={order_id}")
        await ann.settle()
        assert len(walked.lines()) - before == (order_id == "1")


async def test_upload(walked: Walked, tab: OpenTab) -> None:
    """The check of an upload gets its files."""
    handle = await walked.person("ann")
    ann = await tab(handle)
    before = len(walked.lines())
    headers = {
        "Reflex-Client-Token": ann.token,
        "Reflex-Event-Handler": f"{ORDERS}.attach",
        "Cookie": f"{session_cookie(walked.url)}={handle}",
    }
    async with httpx.AsyncClient(trust_env=False) as client:
        for number in (2, 1):
            files = [("files", b"content")] * number
            await client.post(f"{walked.url}/_upload", files=files, headers=headers)
    assert walked.lines()[before:] == ["attach 1"]


@pytest.mark.parametrize("walked", ["recorded"], indirect=True)
async def test_record(walked: Walked, tab: OpenTab) -> None:
    """The record names the check that was not met, and no argument."""
    ann = await tab(await walked.person("ann", nickname="ann"))
    seen = len(walked.record())
    await done(walked, ann, "cancel", {"order_id": "secret-order"})
    (entry,) = (each for each in walked.record()[seen:] if each["kind"] == "access")
    assert (entry["reason"], entry["check"]) == ("forbidden", "owns(state, order_id)")
    assert "secret-order" not in str(entry)
