"""A connection and its session, from the handshake on: sessions that end in between, and what
still leaves a connection that was closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from app.auth.audit import AuditTrail
from app.auth.errors import StoreUnavailable
from app.auth.http.connections import Connections, close_all
from app.auth.http.gate import Gate
from app.auth.http.prefetching import FETCHED_WITHIN, Loader, Prefetching
from app.auth.http.state_trees import NOBODY, StateTrees
from app.auth.session import Cookies, MemorySessionStore, Sealer, SessionCookie
from app.auth.session.cookie import hash_session_id, new_session_id
from app.auth.session.store import StoredSession
from app.auth.user import PublicClaims

from ..conftest import LIFETIMES, SECRET, Clock, session

PATIENCE = 5.0
ORIGIN = "http://localhost:3000"
TOKEN = "0f0e0d0c-0b0a-4900-8800-070605040302"
TREES = StateTrees((SECRET,))
SESSION_COOKIE = SessionCookie(is_https=False, name="session")
LOGIN_COOKIE = SessionCookie(is_https=False, name="login")
BROWSER_COOKIE = SessionCookie(is_https=False, name="browser")
NO_SILENT_LOGIN = SessionCookie(is_https=False, name="no_silent_login")
ID = new_session_id()
REF = hash_session_id(ID)


class SlowStore(MemorySessionStore):
    """A store that may take its time to answer: what `load` returns is true when it is called."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Sealer((SECRET,)), lifetimes=LIFETIMES, clock=clock)
        self.loading = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        self.is_away = False

    async def load(self, session_id_hash: str) -> StoredSession | None:
        if self.is_away:
            raise StoreUnavailable("The session file cannot be used now.")
        stored = await super().load(session_id_hash)
        self.loading.set()
        await self.go.wait()
        return stored


class App:
    """Accepts websockets, and stays until each is gone."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.sends: list[Send] = []
        self.connected = asyncio.Event()
        self.may_let_go = asyncio.Event()
        self.may_let_go.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        self.sends.append(send)
        await receive()
        await send({"type": "websocket.accept"})
        self.connected.set()
        while (await receive())["type"] != "websocket.disconnect":
            pass
        await self.may_let_go.wait()

    def trees(self) -> list[str]:
        """The client token of each connection, as Reflex reads it."""
        return [parse_qs(each["query_string"].decode())["token"][0] for each in self.scopes]


class Browser:
    """One tab behind an ASGI server, which tells the app when the websocket was closed."""

    def __init__(
        self, gate: Gate, *cookies: tuple[SessionCookie, str], forwarded_for: str = ""
    ) -> None:
        self.sent: list[Message] = []
        self._received: asyncio.Queue[Message] = asyncio.Queue()
        self._received.put_nowait({"type": "websocket.connect"})
        header = "; ".join(f"{cookie.name}={value}" for cookie, value in cookies)
        scope: Scope = {
            "type": "websocket",
            "path": "/_event",
            "query_string": f"EIO=4&transport=websocket&token={TOKEN}".encode(),
            "headers": [(b"origin", ORIGIN.encode()), (b"cookie", header.encode())],
            "client": ("127.0.0.1", 1),
        }
        if forwarded_for:
            scope["headers"].append((b"x-forwarded-for", forwarded_for.encode()))
        self.life = asyncio.create_task(gate(scope, self._received.get, self._send))

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        if message["type"] == "websocket.close":
            self.leave()

    def leave(self) -> None:
        """The websocket is gone."""
        self._received.put_nowait({"type": "websocket.disconnect", "code": 1005})

    @property
    def got(self) -> list[str]:
        """The types of what was sent to it."""
        return [each["type"].removeprefix("websocket.") for each in self.sent]


async def until(condition: Callable[[], bool]) -> None:
    """Let the others run until it holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0)


class Setting:
    """A gate in front of an app, and what it stands on. `loaders` are started at the handshake."""

    def __init__(
        self,
        clock: Clock,
        loaders: Mapping[str, Loader] | None = None,
        fetched_within: float = FETCHED_WITHIN,
    ) -> None:
        self.app = App()
        self.store = SlowStore(clock)
        self.connections = Connections(clock)
        self.prefetching = Prefetching(
            lambda: loaders or {},
            lambda connection: httpx.AsyncClient(transport=httpx.AsyncBaseTransport()),
            PublicClaims(),
            fetched_within=fetched_within,
        )
        self.gate = Gate(
            self.app,
            routes=self.app,
            routes_path="/auth",
            assets_path="/assets/",
            store=self.store,
            connections=self.connections,
            prefetching=self.prefetching,
            state_trees=TREES,
            cookies=Cookies(SESSION_COOKIE, LOGIN_COOKIE, BROWSER_COOKIE, NO_SILENT_LOGIN),
            origins=[ORIGIN],
            is_one_origin=True,
            is_https=False,
            audit=AuditTrail((), clock=clock),
            request_limits=None,
            event_limits=None,
            trusted_proxies=0,
        )

    async def end_session(self) -> None:
        """As a logout does: the store forgets the session, then its connections are closed."""
        await self.store.delete(REF)
        await close_all(self.connections.of_session(REF))


@pytest.fixture
async def setting(clock: Clock) -> AsyncIterator[Setting]:
    """With a session."""
    setting = Setting(clock)
    await setting.store.create(REF, session(clock))
    yield setting
    await setting.store.close()


async def test_session_that_ends_during_its_look_up(setting: Setting) -> None:
    """A session that ends after the store has answered and before the connection is bound leaves
    no connection behind, and the app never sees it."""
    setting.store.go.clear()
    browser = Browser(setting.gate, (SESSION_COOKIE, ID))
    await asyncio.wait_for(setting.store.loading.wait(), PATIENCE)
    await setting.end_session()
    setting.store.go.set()
    await asyncio.wait_for(browser.life, PATIENCE)
    assert browser.got == ["close"]
    assert setting.app.scopes == []
    assert setting.connections.signed_in() == []
    assert setting.connections.of_client_token(TOKEN) == []


async def test_session_that_ends_while_a_predecessor_goes(setting: Setting) -> None:
    """A session that ends while the app still holds the tab's connection before leaves no
    connection behind either."""
    setting.app.may_let_go.clear()
    before = Browser(setting.gate, (SESSION_COOKIE, ID))
    await asyncio.wait_for(setting.app.connected.wait(), PATIENCE)
    await close_all(setting.connections.of_session(REF))  # as a step-up does
    setting.store.loading.clear()
    browser = Browser(setting.gate, (SESSION_COOKIE, ID))
    await asyncio.wait_for(setting.store.loading.wait(), PATIENCE)
    await setting.end_session()
    setting.app.may_let_go.set()
    await asyncio.wait_for(asyncio.gather(before.life, browser.life), PATIENCE)
    assert browser.got == ["close"]
    assert len(setting.app.scopes) == 1


async def test_tab_that_comes_back(setting: Setting) -> None:
    """A tab that comes back reaches the app when that has let go of the connection before."""
    setting.app.may_let_go.clear()
    before = Browser(setting.gate, (SESSION_COOKIE, ID))
    await asyncio.wait_for(setting.app.connected.wait(), PATIENCE)
    await close_all(setting.connections.of_session(REF))
    browser = Browser(setting.gate, (SESSION_COOKIE, ID))
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(setting.app.scopes) == 1
    setting.app.may_let_go.set()
    await asyncio.wait_for(before.life, PATIENCE)
    await until(lambda: browser.got == ["accept"])
    browser.leave()
    await asyncio.wait_for(browser.life, PATIENCE)


async def test_session_that_ends_later(setting: Setting) -> None:
    """A connection in use is closed when its session ends, and what the app still writes does not
    leave it."""
    browser = Browser(setting.gate, (SESSION_COOKIE, ID))
    await asyncio.wait_for(setting.app.connected.wait(), PATIENCE)
    (send,) = setting.app.sends
    await send({"type": "websocket.send", "text": "before"})
    closing = asyncio.create_task(setting.end_session())
    await asyncio.wait_for(browser.life, PATIENCE)
    await send({"type": "websocket.send", "text": "after"})
    await closing
    assert browser.got == ["accept", "send", "close"]


async def test_none_of_many_sends(setting: Setting) -> None:
    """Nothing leaves a connection from the moment that closing begins, though its own turn comes
    later."""
    browsers = [Browser(setting.gate, (SESSION_COOKIE, ID)) for _ in range(30)]
    await until(lambda: all(each.got == ["accept"] for each in browsers))
    closing = asyncio.create_task(setting.end_session())
    await until(lambda: any("close" in each.got for each in browsers))
    assert not closing.done()
    for send in setting.app.sends:
        await send({"type": "websocket.send", "text": "late"})
    await asyncio.wait_for(asyncio.gather(closing, *(each.life for each in browsers)), PATIENCE)
    assert [each.got for each in browsers] == [["accept", "close"]] * 30


async def test_tree_of_the_login(setting: Setting) -> None:
    """Reflex is told the tree of the login in the place of the client token, and no cookie of this
    layer; without a session it is nobody's tree."""
    for cookies in ([(SESSION_COOKIE, ID)], []):
        setting.app.connected.clear()
        browser = Browser(setting.gate, *cookies)
        await asyncio.wait_for(setting.app.connected.wait(), PATIENCE)
        browser.leave()
        await asyncio.wait_for(browser.life, PATIENCE)
    trees = [TREES.tree_of(TOKEN, "5" * 32), TREES.tree_of(TOKEN, NOBODY)]
    assert setting.app.trees() == trees
    assert ID not in str(setting.app.scopes)
    assert TOKEN not in str(setting.app.scopes)


@pytest.mark.parametrize(
    ("cookies", "may"),
    [
        ([(BROWSER_COOKIE, ID)], True),
        ([], False),
        ([(BROWSER_COOKIE, ID), (NO_SILENT_LOGIN, ID)], False),
        ([(BROWSER_COOKIE, ID), (SESSION_COOKIE, ID)], False),
        ([(BROWSER_COOKIE, ID), (SESSION_COOKIE, new_session_id())], False),
    ],
    ids=["a visitor", "no cookies", "logged out", "signed in", "session that has ended"],
)
async def test_silent_login(
    setting: Setting, cookies: list[tuple[SessionCookie, str]], may: bool
) -> None:
    """A tab may log in silently if its browser keeps cookies, and has neither a session nor a
    reason not to."""
    browser = Browser(setting.gate, *cookies)
    await asyncio.wait_for(setting.app.connected.wait(), PATIENCE)
    (connection,) = setting.connections.of_client_token(TOKEN)
    assert connection.may_log_in_silently is may
    browser.leave()
    await asyncio.wait_for(browser.life, PATIENCE)


async def test_duplicated_tab(setting: Setting) -> None:
    """Where Reflex names a new tree, the browser is told the client token that leads to it."""
    browser = Browser(setting.gate, (SESSION_COOKIE, ID))
    await asyncio.wait_for(setting.app.connected.wait(), PATIENCE)
    new = "11111111-2222-4333-8444-555555555555"
    (send,) = setting.app.sends
    await send({"type": "websocket.send", "text": f'42/_event,["new_token","{new}"]'})
    told = TREES.client_token_of(new, "5" * 32)
    assert browser.sent[-1]["text"] == f'42/_event,["new_token","{told}"]'
    connection = setting.connections.of_tree(new)
    assert connection is not None
    assert connection.client_token == told
    browser.leave()
    await asyncio.wait_for(browser.life, PATIENCE)


async def test_half_of_a_character(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    """A text with a lone surrogate, which no websocket can send, arrives with U+FFFD in its place,
    and one line in the log says so; any other text arrives as it is."""
    browser = Browser(setting.gate, (SESSION_COOKIE, ID))
    await asyncio.wait_for(setting.app.connected.wait(), PATIENCE)
    (send,) = setting.app.sends
    for text in ("42half \ud83d", "42half \ud83d again", "42whole \N{GRINNING FACE} \xe9"):
        await send({"type": "websocket.send", "text": text})
    sent = [each["text"] for each in browser.sent[-3:]]
    assert sent == ["42half \ufffd", "42half \ufffd again", "42whole \N{GRINNING FACE} \xe9"]
    assert len(caplog.records) == 1
    browser.leave()
    await asyncio.wait_for(browser.life, PATIENCE)


async def test_proxy_that_is_not_trusted(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    """If clients come through a proxy and none is trusted, the log says so, once."""
    for _ in range(2):
        browser = Browser(setting.gate, forwarded_for="192.0.2.1")
        await asyncio.wait_for(setting.app.connected.wait(), PATIENCE)
        browser.leave()
        await asyncio.wait_for(browser.life, PATIENCE)
    (record,) = caplog.records
    assert "APP_TRUSTED_PROXIES" in record.message


async def test_upload_while_sessions_cannot_be_read(setting: Setting) -> None:
    """An upload that comes while sessions cannot be read is refused with 503 and may be sent again;
    the app does not see it."""
    setting.store.is_away = True
    sent: list[Message] = []

    async def received() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    cookie = f"{SESSION_COOKIE.name}={ID}".encode()
    headers = [(b"reflex-client-token", TOKEN.encode()), (b"cookie", cookie)]
    scope = {"type": "http", "method": "POST", "path": "/_upload", "headers": headers}
    await setting.gate({**scope, "client": ("127.0.0.1", 1)}, received, send)
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"5") in sent[0]["headers"]
    assert setting.app.scopes == []
