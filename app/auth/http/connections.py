"""The open websockets of this process, each bound to one login for its whole life."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple, TypeVar

from starlette.types import Message, Send

from ..log_throttle import LogThrottle
from ..well_formed import well_formed

RECONNECT: Final = 1012  # "service restart" (RFC 6455 registry): the client connects again
PACE = 0.005  # seconds between two that are closed, so that not all reconnect at once
AT_ONCE = 10  # connections that are closed without a pause
REPLACED_FOR = 30.0  # seconds for which a browser may still send the cookie that a login replaced
CLOSED_FOR = 30.0  # seconds for which a closed connection is remembered
LONGEST_WAIT = 2.0  # seconds to wait for a closed connection to end
MOST_REMEMBERED = 10_000

Value = TypeVar("Value")

logger = logging.getLogger(__name__)
_throttle = LogThrottle()


class Connection:
    """One websocket.

    `session_id_hash` and `state_key` are those of its login, None where no user is signed in;
    `browser` identifies the browser (the hash of a cookie; empty for an upload), `client` is its
    address. `tree` is the state tree that it shows, and `client_token` what its tab calls that
    tree. `is_bound` says that `AuthState` has been written since it opened, `claims_version` with
    which claims of the session, `awaits_page` that its page may still send what was meant for the
    login before. `may_log_in_silently` says that its browser keeps cookies, and had neither a
    session nor a reason not to. `connected_at` is in epoch seconds. `when_closed` is called when it
    is closed or ends, perhaps twice. A connection that was closed neither sends nor runs anything.
    """

    __slots__ = (
        "_ended",
        "_has_ended",
        "_is_close_sent",
        "_send",
        "awaits_page",
        "browser",
        "claims_version",
        "client",
        "client_token",
        "connected_at",
        "is_bound",
        "is_closed",
        "may_log_in_silently",
        "session_id_hash",
        "state_key",
        "sub",
        "tree",
        "when_closed",
    )

    def __init__(
        self,
        client_token: str,
        send: Send,
        *,
        session_id_hash: str | None,
        browser: str = "",
        client: str = "",
        may_log_in_silently: bool = False,
    ) -> None:
        self.connected_at = time.time()
        self.may_log_in_silently = may_log_in_silently
        self.client_token = client_token
        self.browser = browser
        self.client = client
        self.session_id_hash = session_id_hash
        self.state_key: str | None = None
        self.sub: str | None = None
        self.tree = ""
        self.is_bound = False
        self.claims_version = 0
        self.awaits_page = False
        self.is_closed = False
        self.when_closed: Callable[[], None] = _nothing
        self._is_close_sent = self._has_ended = False
        self._send = send
        self._ended: asyncio.Event | None = None

    def send(self, message: Message) -> Awaitable[None]:
        """Send an ASGI message. A text that UTF-8 cannot encode would end the connection, and again
        after each reconnect: U+FFFD is sent for what is wrong with it."""
        text = message.get("text")
        if text is not None and not text.isascii() and (sent := well_formed(text)) is not text:
            if _throttle.is_due(self.client):
                logger.warning("A variable of a State holds half of a character (a surrogate).")
            message = {**message, "text": sent}
        return self._send(message)

    async def close(self) -> None:
        """Close the websocket, so that the browser reconnects with its current cookie.

        This happens at ASGI level, which Reflex's client treats as a lost connection. It does not
        reconnect after a Socket.IO disconnect.
        """
        self.is_closed = True
        self.when_closed()
        if self._is_close_sent:
            return
        self._is_close_sent = True
        with contextlib.suppress(Exception):  # the browser may have gone at the same moment
            await self._send(
                {"type": "websocket.close", "code": RECONNECT, "reason": "the login has changed"}
            )

    async def wait_until_ended(self) -> None:
        """Return when the app has let go of the connection."""
        if self._has_ended:
            return
        if self._ended is None:
            self._ended = asyncio.Event()
        await self._ended.wait()

    def end(self) -> None:
        """The app has let go of it."""
        self.is_closed = self._is_close_sent = self._has_ended = True
        self.when_closed()
        if self._ended is not None:
            self._ended.set()


class _Closed(NamedTuple):
    """A connection that this layer has closed, and when."""

    at: float
    client_token: str
    session_id_hash: str | None


class Connections:
    """Finds connections by session, browser and state tree. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_session: dict[str, set[Connection]] = {}
        self._by_browser: dict[str, set[Connection]] = {}
        self._by_tree: dict[str, dict[Connection, None]] = {}
        self._replaced: dict[str, float] = {}
        self._closed: dict[str, _Closed] = {}

    def add(self, connection: Connection) -> None:
        """Register a connection. Do so before its session is looked up: if the session ends in
        between, the connection is then closed."""
        if connection.session_id_hash is not None:
            self._by_session.setdefault(connection.session_id_hash, set()).add(connection)
        if connection.browser:
            self._by_browser.setdefault(connection.browser, set()).add(connection)

    def bind(self, connection: Connection, tree: str) -> None:
        """Set the tree that a connection shows."""
        self._leave_tree(connection)
        connection.tree = tree
        self._by_tree.setdefault(tree, {})[connection] = None

    def remove(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        if connection.is_closed and connection.tree:
            closed = _Closed(self._clock(), connection.client_token, connection.session_id_hash)
            _put(self._closed, connection.tree, closed)
        connection.end()
        self._leave_tree(connection)
        if connection.session_id_hash is not None:
            _discard(self._by_session, connection.session_id_hash, connection)
        _discard(self._by_browser, connection.browser, connection)

    def of_tree(self, tree: str) -> Connection | None:
        """Return the newest connection of this process that shows a tree, or None."""
        shown_by = self._by_tree.get(tree)
        return next(reversed(shown_by)) if shown_by else None

    def of_client_token(self, client_token: str) -> list[Connection]:
        """The open connections of a tab, one for each login. Slow: for uploads only."""
        every = (self.of_tree(tree) for tree in self._by_tree)
        return [each for each in every if each and each.client_token == client_token]

    def of_session(self, session_id_hash: str) -> list[Connection]:
        """The open connections of a session, including those whose session is being looked up. A
        connection that came with the cookie of an ended session shows no user's tree."""
        every = self._by_session.get(session_id_hash, ())
        return [each for each in every if each.state_key is not None or not each.tree]

    def others_of(self, browser: str, session_id_hash: str) -> list[Connection]:
        """The open connections of a browser that do not have this session."""
        every = self._by_browser.get(browser, ())
        return [each for each in every if each.session_id_hash != session_id_hash]

    def signed_in(self) -> list[Connection]:
        """The open connections that have a session."""
        return [each for connections in self._by_session.values() for each in connections]

    def trees_of(self, session_id_hash: str) -> list[str]:
        """The trees that the open tabs of a session show."""
        return [each.tree for each in self.of_session(session_id_hash) if each.tree]

    async def wait_for_predecessors(self, tree: str) -> None:
        """Return when the closed connections of this tree have ended. Until then, Reflex would take
        a new connection for a duplicated tab, and give it another tree."""
        for each in list(self._by_tree.get(tree, ())):
            if each.is_closed:
                await each.close()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(each.wait_until_ended(), LONGEST_WAIT)

    def note_replaced(self, session_id_hash: str) -> None:
        """Remember that another login has replaced this session. A tab of its browser may still
        connect with the old cookie."""
        _put(self._replaced, session_id_hash, self._clock())

    def is_replaced(self, session_id_hash: str) -> bool:
        """Whether another login replaced this session less than `REPLACED_FOR` ago."""
        noted_at = self._replaced.get(session_id_hash)
        return noted_at is not None and self._clock() - noted_at < REPLACED_FOR

    def client_token_of_closed(self, tree: str) -> str | None:
        """The client token of a tab whose connection to this tree was closed recently."""
        closed = self._closed.get(tree)
        return closed.client_token if closed and self._is_recent(closed) else None

    def trees_closed_of(self, session_id_hash: str) -> list[str]:
        """The trees of a session's connections that were closed recently."""
        return [
            tree
            for tree, closed in self._closed.items()
            if closed.session_id_hash == session_id_hash and self._is_recent(closed)
        ]

    def _is_recent(self, closed: _Closed) -> bool:
        return self._clock() - closed.at < CLOSED_FOR

    def _leave_tree(self, connection: Connection) -> None:
        shown_by = self._by_tree.get(connection.tree)
        if shown_by is not None:
            shown_by.pop(connection, None)
            if not shown_by:
                del self._by_tree[connection.tree]


async def close_all(connections: Iterable[Connection]) -> None:
    """Close connections one by one. From now on, none of them sends anything or runs events."""
    connections = list(connections)
    for each in connections:  # all of them before the first pause
        each.is_closed = True
    for number, each in enumerate(connections):
        if number >= AT_ONCE:
            await asyncio.sleep(PACE)
        await each.close()


def _nothing() -> None:
    """What is called by default when a connection is closed."""


def _discard(index: dict[str, set[Connection]], key: str, connection: Connection) -> None:
    connections = index.get(key)
    if connections is not None:
        connections.discard(connection)
        if not connections:
            del index[key]


def _put(remembered: dict[str, Value], key: str, value: Value) -> None:
    remembered.pop(key, None)
    if len(remembered) >= MOST_REMEMBERED:
        del remembered[next(iter(remembered))]  # the oldest: dictionaries keep their order
    remembered[key] = value
