"""What the app records of who may do what."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from .conftest import OpenTab, Walked
from .raw_tab import STATE

APP = f"{STATE}.access_app___access_app____"

pytestmark = pytest.mark.parametrize("walked", ["recorded"], indirect=True)


class Since:
    """The entries that are added to the record from now on."""

    def __init__(self, walked: Walked) -> None:
        self._walked = walked
        self._seen = len(walked.record())

    def __call__(self, kind: str = "access") -> list[dict[str, Any]]:
        """Those of one kind."""
        return [entry for entry in self._walked.record()[self._seen :] if entry["kind"] == kind]


async def test_decisions(walked: Walked, tab: OpenTab) -> None:
    """Who was allowed what and who was not is recorded, with the handler, the user, the session and
    the reason; what is public is not."""
    visitor = await tab()
    user = await tab(await walked.person("rec-ann", name="Ann"))
    record = Since(walked)
    await visitor.send(f"{APP}guarded.write", {"text": "x"})
    await visitor.send(f"{APP}open.say", {"text": "x"})
    await visitor.settle()
    for name in ("guarded.write", "open.administer"):
        await user.send(f"{APP}{name}", {"text": "x"})
    await user.settle()
    anonymous, allowed, forbidden = record()
    assert (anonymous["outcome"], anonymous["reason"]) == ("denied", "login_required")
    assert anonymous["target"] == f"{APP}guarded.write"
    assert anonymous.keys().isdisjoint({"sub", "session"})
    assert (allowed["outcome"], allowed["reason"]) == ("success", "allowed")
    assert (forbidden["outcome"], forbidden["reason"]) == ("denied", "forbidden")
    assert allowed["sub"] == forbidden["sub"] == "rec-ann"
    assert allowed["session"] == forbidden["session"]


async def test_unknown_handler(walked: Walked, tab: OpenTab) -> None:
    """An event without a handler is dropped and recorded, its name cut short; the log says nothing
    of what the connection came with."""
    user = await tab(await walked.person("rec-unknown"))
    record = Since(walked)
    await user.send("no.such." + "x" * 5000, {})
    await user.settle()
    (entry,) = record()
    assert (entry["reason"], len(entry["target"])) == ("unknown_handler", 100)
    log = walked.server.log.read_text()
    assert "Dropped an event without a handler: 'no.such.xxx" in log
    assert not any(secret in log for secret in ("x" * 200, "sec-websocket-key", "auth_session"))


async def test_foreign_page(walked: Walked) -> None:
    """Websockets from a page that is not the app's are recorded, but not each of a flood."""
    record = Since(walked)
    address = f"{walked.url.replace('http', 'ws', 1)}/_event/?EIO=4&transport=websocket"
    for _ in range(20):
        with pytest.raises(InvalidStatus):
            await connect(address, origin="http://evil.example")  # type: ignore[arg-type]
    (entry,) = record()
    assert (entry["outcome"], entry["reason"]) == ("denied", "foreign_origin")


async def test_upload_for_another(walked: Walked, tab: OpenTab) -> None:
    """An upload for the tab of another session is recorded."""
    user = await tab(await walked.person("rec-upload"))
    record = Since(walked)
    headers = {"Reflex-Client-Token": user.token, "Reflex-Event-Handler": f"{APP}guarded.take"}
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{walked.url}/_upload", headers=headers)
    assert answer.status_code == 403
    (entry,) = record()
    assert (entry["reason"], entry["target"]) == ("foreign_tab", "/_upload")


async def test_page(walked: Walked, tab: OpenTab) -> None:
    """Who is turned away from a page is recorded with the page, without its query."""
    visitor = await tab()
    record = Since(walked)
    name = f"{STATE}.access_app___auth___reflex___state____auth_state.require_login"
    await visitor.send(name, {}, router_data={"pathname": "/guarded", "asPath": "/guarded?q=1"})
    await visitor.settle()
    (entry,) = record()
    assert (entry["reason"], entry["target"]) == ("login_required", "/guarded")


async def test_request(walked: Walked, tab: OpenTab) -> None:
    """What the interceptor decided about a request is recorded with the user and the session, and
    without the query."""
    user = await tab(await walked.person("rec-request"))
    record = Since(walked)
    done = len(walked.lines())
    await user.send(f"{APP}guarded.ask", {"url": "http://127.0.0.1:9/x?secret=1"})
    while len(walked.lines()) == done:
        await user.settle()
    (entry,) = record("interceptor")
    assert (entry["outcome"], entry["reason"]) == ("denied", "not_on_list")
    assert (entry["sub"], entry["target"]) == ("rec-request", "GET http://127.0.0.1:9/x")
    assert entry["session"] == record()[0]["session"]
