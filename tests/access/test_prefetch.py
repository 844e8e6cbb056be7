"""What a subscriber's loader asks an API for from the websocket handshake on, and who gets it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.auth.http.prefetching import MOST_OF_SESSION
from app.auth.session import Sealer, SQLiteSessionStore, hash_session_id, new_session_id
from app.auth.testing import add_session, new_session
from app.auth.testing.sessions import ACCESS_TOKEN

from ..cookies import session_cookie
from ..e2e.stack import SECRET
from ..servers import free_port
from .conftest import Walked, running
from .raw_tab import PATIENCE, STATE, RawTab

LOADING = f"{STATE}.access_app___loading____loading"


class Api:
    """Counts the requests for each path, and answers `<path> <count>` when it may."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.tokens: set[str] = set()
        self.given_up: list[str] = []
        self.status = "200 OK"
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        path = head[0].split()[1]
        self.tokens |= {line for line in head if line.lower().startswith("authorization:")}
        self.asked.append(path)
        text = f"{path} {self.asked.count(path)}"
        leaves = asyncio.ensure_future(reader.read())
        may = asyncio.ensure_future(self.may_answer.wait())
        await asyncio.wait((leaves, may), return_when=asyncio.FIRST_COMPLETED)
        if leaves.done():
            self.given_up.append(path)
        else:
            answer = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(text)}\r\n"
            writer.write(f"{answer}Connection: close\r\n\r\n{text}".encode())
            await writer.drain()
        leaves.cancel()
        may.cancel()
        writer.close()

    def count(self, path: str) -> int:
        return self.asked.count(path)

    async def until(self, asked: list[str]) -> None:
        """Wait until at least this has been asked, in whatever order."""
        async with asyncio.timeout(PATIENCE):
            while any(self.asked.count(each) < asked.count(each) for each in asked):
                await asyncio.sleep(0.005)


@pytest.fixture(scope="module")
def port() -> int:
    """Where the API listens."""
    return free_port()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Walked]:
    """A backend that loads from the API."""
    api = f"http://127.0.0.1:{port}"
    with running(tmp_path_factory.mktemp("prefetch"), limits="off", api=api) as walked:
        yield walked


@pytest.fixture
async def api(port: int) -> AsyncIterator[Api]:
    """The API, for one test."""
    made = Api()
    server = await asyncio.start_server(made.answer, "127.0.0.1", port)
    yield made
    made.may_answer.set()
    server.close()
    await server.wait_closed()


@pytest.fixture
async def store(app: Walked) -> AsyncIterator[SQLiteSessionStore]:
    """The sessions of the app."""
    opened = SQLiteSessionStore(app.store_file, Sealer((SECRET,)))
    yield opened
    await opened.close()


async def shows(tab: RawTab, text: str) -> None:
    """Wait until the note that a tab shows has this text in it."""
    async with asyncio.timeout(PATIENCE):
        while text not in shown(tab):
            await asyncio.sleep(0.005)


def shown(tab: RawTab) -> str:
    """The note that a tab shows."""
    return ["", *(str(value) for _, name, value in tab.values() if name == "note")][-1]


async def test_begins_at_the_handshake(app: Walked, api: Api) -> None:
    """The loader asks the API when the tab connects, with the user's token; the page that loads
    then shows that answer, and asks for nothing again. A handler without a loader asks when the
    page loads."""
    tab = RawTab(app.url, await app.person("ann"))
    await tab.connect()
    await api.until(["/note/ann"])
    assert api.count("/plain/ann") == 0
    await tab.load()
    await shows(tab, "/note/ann 1")
    await api.until(["/plain/ann"])
    await tab.close()
    assert sorted(api.asked) == ["/note/ann", "/plain/ann"]
    assert {each.partition(": ")[2] for each in api.tokens} == {f"Bearer {ACCESS_TOKEN}"}


async def test_once_for_each_load(app: Walked, api: Api) -> None:
    """Each load of the page asks the API once, and shows the answer of that time."""
    handle = await app.person("ann")
    token = None
    for load in range(1, 4):
        tab = RawTab(app.url, handle, token=token)
        await tab.open()
        await shows(tab, f"/note/ann {load}")
        assert api.count("/note/ann") == load
        token = tab.token
        await tab.close()


async def test_no_session(app: Walked, api: Api) -> None:
    """Nothing is asked for a visitor, for the cookie of a session that has ended, or for one that
    was made up; nor for a page of another origin that connects with a user's cookie."""
    ended = await app.person("ann")
    await app.end(ended)
    for handle in (None, ended, new_session_id()):
        tab = RawTab(app.url, handle)
        await tab.open()
        await tab.close()
    cookie = f"{session_cookie(app.url)}={await app.person('ann')}"
    url = f"{app.url.replace('http', 'ws', 1)}/_event/?token={tab.token}&EIO=4&transport=websocket"
    with pytest.raises(InvalidStatus, match="403"):
        await connect(url, origin="http://evil.example", additional_headers={"Cookie": cookie})  # type: ignore[arg-type]
    assert api.asked == []


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "under way"])
async def test_user_who_changes(app: Walked, api: Api, is_answered: bool) -> None:
    """Another user logs in between the handshake of a tab and its page: it shows theirs, and has
    heard nothing of the first one's, whether the API had answered by then or not."""
    handle = await app.person("ann")
    tab = RawTab(app.url, handle)
    if not is_answered:
        api.may_answer.clear()
    await tab.connect()
    await api.until(["/note/ann"])
    tab.handle = await app.person("ben")  # with which it comes again
    await app.log_out(handle)
    await api.until(["/note/ben"])
    assert is_answered or api.given_up == ["/note/ann"]
    api.may_answer.set()
    await tab.load()
    await tab.settle()
    await shows(tab, "/note/ben")
    assert not tab.hears("/note/ann")
    await tab.close()


async def test_stolen_tab(app: Walked, api: Api) -> None:
    """Whoever connects under the client token of a user's tab gets no answer that was loaded for
    it."""
    api.may_answer.clear()
    tab = RawTab(app.url, await app.person("ann"))
    await tab.connect()
    await api.until(["/note/ann"])
    thief = RawTab(app.url, await app.person("eve"), token=tab.token)
    await thief.connect()
    await api.until(["/note/eve"])
    api.may_answer.set()
    await thief.load()
    await tab.load()
    await shows(thief, "/note/eve 1")
    await shows(tab, "/note/ann 1")
    assert not thief.hears("/note/ann")
    assert not tab.hears("/note/eve")
    await thief.close()
    await tab.close()


async def test_two_users_at_once(app: Walked, api: Api) -> None:
    """Tabs of two users that connect at the same time, several each, show what is their own, and
    each has asked once."""
    handles = {name: await app.person(name) for name in ("ann", "ben")}
    tabs = [(name, RawTab(app.url, handles[name])) for name in ("ann", "ben") * 3]
    await asyncio.gather(*(tab.connect() for _, tab in tabs))
    await asyncio.gather(*(tab.load() for _, tab in tabs))
    for name, tab in tabs:
        other = {"ann": "ben", "ben": "ann"}[name]
        await shows(tab, f"/note/{name} ")
        assert not tab.hears(f"/note/{other}")
    assert (api.count("/note/ann"), api.count("/note/ben")) == (3, 3)
    assert len({shown(tab) for _, tab in tabs}) == 6
    await asyncio.gather(*(tab.close() for _, tab in tabs))


async def test_claims_that_change(app: Walked, api: Api, store: SQLiteSessionStore) -> None:
    """When the claims of the session change between the handshake and the page, what was loaded
    for the earlier ones is not shown."""
    handle = await app.person("ann")
    tab = RawTab(app.url, handle)
    await tab.connect()
    await api.until(["/note/ann"])
    key = hash_session_id(handle)
    stored = await store.load(key)
    assert stored is not None
    changed = replace(stored.session, claims_version=stored.session.claims_version + 1)
    assert await store.compare_and_swap(key, stored.version, changed)
    await tab.load()
    await shows(tab, "/note/ann 2")
    await tab.close()


async def test_user_changed(app: Walked, api: Api) -> None:
    """What was loaded before another tab says that the user has changed is not shown."""
    handle = await app.person("ann")
    other = RawTab(app.url, handle)
    await other.open()
    tab = RawTab(app.url, handle)
    await tab.connect()
    await api.until(["/note/ann"] * 2)
    await other.send(f"{LOADING}.change", {})
    await api.until(["/note/ann"] * 4)  # for each of both tabs
    await tab.load()
    await tab.settle()
    await shows(tab, "/note/ann")
    assert int(shown(tab).split()[1]) > 2
    await other.close()
    await tab.close()


async def test_disconnect(app: Walked, api: Api) -> None:
    """A tab that goes before its page has loaded takes its request with it."""
    api.may_answer.clear()
    tab = RawTab(app.url, await app.person("ann"))
    await tab.connect()
    await api.until(["/note/ann"])
    await tab.close()
    async with asyncio.timeout(PATIENCE):
        while not api.given_up:
            await asyncio.sleep(0.005)


async def test_many_handshakes(app: Walked, api: Api) -> None:
    """A session that opens many websockets and loads no page causes few requests."""
    api.may_answer.clear()
    handle = await app.person("ann")
    tabs = [RawTab(app.url, handle) for _ in range(3 * MOST_OF_SESSION)]
    for tab in tabs:
        await tab.connect()
    assert api.count("/note/ann") == MOST_OF_SESSION
    api.may_answer.set()
    await tabs[-1].load()
    await shows(tabs[-1], f"/note/ann {MOST_OF_SESSION + 1}")
    for tab in tabs:
        await tab.close()


async def test_error_of_the_api(app: Walked, api: Api) -> None:
    """The handler sees the error of the request that began at the handshake, and does not send a
    second one; a run after that asks again."""
    api.status = "503 Service Unavailable"
    tab = RawTab(app.url, await app.person("ann"))
    await tab.open()
    await shows(tab, "HTTPStatusError")
    assert api.count("/note/ann") == 1
    api.status = "200 OK"
    await tab.send(f"{LOADING}.show", {})
    await tab.settle()
    await shows(tab, "/note/ann 2")
    await tab.close()


async def test_login_url(app: Walked, api: Api, store: SQLiteSessionStore) -> None:
    """An error that asks for a login leads back to the page, which was not known at the
    handshake."""
    session = new_session({"sub": "ann"}, audience="https://another.example")
    tab = RawTab(app.url, await add_session(store, session))
    await tab.connect()
    await tab.load("/guarded?order=1")
    await shows(tab, "return_to=%2Fguarded%3Forder%3D1")
    assert api.count("/note/ann") == 0
    await tab.close()
