"""The request inspector: a live list of a user's requests, and why each had a token or not."""

from __future__ import annotations

import asyncio
import functools
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

import reflex as rx
from reflex.event import Event
from reflex.vars import FunctionStringVar, ObjectVar

from ..access.policy import PUBLIC
from ..dpop import TOKEN_TYPE
from ..http.connections import Connections
from ..interceptor.events import Observer, RequestEvent
from .access_rules import mark
from .events import start_event, tree_of
from .state import UserScopedState

PER_OWNER = 50  # requests; older ones are dropped
OWNERS = 1000

Row = dict[str, str]

REASONS = {
    "attached": "The allowed list has an entry for it.",
    "not_on_list": "No entry of the allowed list covers it.",
    "excepted": "The entry is an exception: such requests carry none.",
    "odd_url": "Its URL can be read in two ways.",
    "own_authorization": "It brought an Authorization of its own.",
    "skipped": "The caller asked for none.",
    "anonymous": "No user is logged in, and the entry allows that.",
    "diverted": "It names another recipient than its URL.",
    "login_required": "No user is logged in, so it was not sent.",
    "consent_required": "The user has not allowed this audience and scope, so it was not sent.",
}


class RecentRequests:
    """The last requests of each owner: a session id hash or, without a session, a tab. Between
    them stand the renewals of access tokens."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rows: OrderedDict[str, deque[Row]] = OrderedDict()

    def add(self, owner: str, event: RequestEvent | None) -> None:
        """Add a request, or a renewal (None). The owner whose last row is the oldest is forgotten
        first."""
        rows = self._rows.setdefault(owner, deque(maxlen=PER_OWNER))
        time = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
        rows.appendleft({"time": time, **(_row(event) if event else _RENEWAL)})
        self._rows.move_to_end(owner)
        if len(self._rows) > OWNERS:
            self._rows.popitem(last=False)

    def of(self, owner: str) -> list[Row]:
        """The requests of one owner, newest first."""
        return list(self._rows.get(owner, ()))


def _row(event: RequestEvent) -> Row:
    """The texts that the panel shows. A sign beside the status says what its colour says."""
    times = f" · sent {event.retries + 1} times" if event.retries else ""
    sign, kind = _sign(event)
    return {
        "request": f"{event.method} {event.url}",
        "token": _token(event),
        "class": "yes" if event.attached else "no",
        "why": REASONS.get(event.reason, event.reason),
        "entry": event.entry or "",
        "audience": event.audience or "",
        "status": f"{sign} {event.status or event.error or 'not sent'}",
        "status_class": kind,
        "duration": f"{event.milliseconds:.0f} ms{times}",
    }


_RENEWAL: Row = {
    **dict.fromkeys(("request", "class", "why", "entry", "audience", "status_class"), ""),
    **dict.fromkeys(("token", "status", "duration"), ""),
}


def _sign(event: RequestEvent) -> tuple[str, str]:
    if event.status is None or event.status >= 400:
        return "✕", "bad"
    return ("→", "") if event.status >= 300 else ("✓", "good")


def _token(event: RequestEvent) -> str:
    """Whether the request carried a token, and what the token is bound to."""
    if not event.attached:
        return "no token"
    kind = "with a DPoP token" if event.token_type == TOKEN_TYPE else "with a token"
    return f"{kind}, by mutual TLS" if event.client_certificate else kind


class RequestInspector(UserScopedState):
    """What the panel lists: the requests of this tab's user."""

    requests: list[Row] = []
    count: int = 0

    _recent: ClassVar[Callable[[rx.State], list[Row]]]

    @rx.event
    def look(self) -> None:
        """Read the list again: on a page load, and after each request."""
        self.requests = type(self)._recent(self)
        self.count = sum(row["request"] != "" for row in self.requests)


# Public: a user sees only their own requests and, without a session, those of the tab.
mark(RequestInspector, PUBLIC)


# On a wide screen the panel is open at first.
_OPEN_IF_WIDE = """
document.querySelectorAll("details.auth-inspector").forEach(
  (panel) => matchMedia("(min-width: 64rem)").matches && (panel.open = true)
)
"""


def request_inspector() -> rx.Component:
    """The panel; put it at the end of a page."""
    return rx.el.details(
        rx.el.summary("Outgoing requests ", rx.el.span(RequestInspector.count, class_name="count")),
        rx.cond(
            RequestInspector.count > 0,
            rx.el.ol(
                rx.foreach(
                    RequestInspector.requests,
                    lambda row: rx.cond(row["request"] != "", _item(row), _renewal(row)),
                ),
                tab_index=0,  # it scrolls, with the keyboard, too
                aria_label="Outgoing requests, newest first",
            ),
            rx.el.p("Nothing has been requested for you yet."),
        ),
        class_name="auth-inspector",
        on_mount=[RequestInspector.look, rx.call_script(_OPEN_IF_WIDE)],
        custom_attrs={"data-testid": "request-inspector"},
    )


def _item(request: ObjectVar[Row]) -> rx.Component:
    return rx.el.li(
        rx.el.code(request["request"]),
        rx.el.p(
            rx.el.span(request["status"], class_name=f"badge {request['status_class']}"),
            rx.el.span(request["token"], class_name=f"badge {request['class']}"),
            rx.el.span(request["duration"]),
            _time(request["time"]),
        ),
        rx.el.p(request["why"]),
        _detail("Entry", request["entry"]),
        _detail("Audience", request["audience"]),
    )


def _renewal(row: ObjectVar[Row]) -> rx.Component:
    return rx.el.li(
        rx.el.p(
            rx.el.span("↻", aria_hidden=True, class_name="renewal"),
            rx.el.span("An access token was renewed."),
            _time(row["time"]),
        ),
        class_name="renewed",
    )


def _time(iso: rx.Var[str]) -> rx.Component:
    """A time of day in the time zone and the language of the browser, which formats it."""
    text = _LOCAL_TIME.call(iso).to(str)
    return rx.el.time(text, date_time=iso)


_LOCAL_TIME: Any = FunctionStringVar.create(
    "((iso) => new Date(iso).toLocaleTimeString(undefined, {timeStyle: 'medium'}))"
)


def _detail(name: str, value: rx.Var[str]) -> rx.Component:
    return rx.cond(value != "", rx.el.p(name, rx.el.code(value)))


class Inspection:
    """Keeps the requests of each user, and updates the panels in the user's open tabs."""

    def __init__(self, connections: Connections, *, clock: Callable[[], float]) -> None:
        self._connections = connections
        self._recent = RecentRequests(clock)
        self._app: rx.App | None = None
        self._woken: dict[str, asyncio.Task[None]] = {}

    def install(self, app: rx.App) -> None:
        """Let the panels of this app read from here."""
        self._app = app
        RequestInspector._recent = self._requests_of

    def observer(self, state: rx.State) -> Observer:
        """An observer for the requests that this tab makes."""
        return functools.partial(self._note, self._owner(state), tree_of(state))

    def observer_of(self, session_id_hash: str) -> Observer:
        """An observer for requests of a session that no tab's handler makes."""
        return functools.partial(self._note, session_id_hash, None)

    def note_renewal(self, session_id_hash: str) -> None:
        """Add that an access token of this session was renewed."""
        self._note(session_id_hash, None, None)

    def quiet_observer_of(self, session_id_hash: str) -> Observer:
        """The same for a tab that has not loaded its page, and cannot be told: `show` tells it."""
        return functools.partial(self._recent.add, session_id_hash)

    def show(self, state: rx.State) -> None:
        """Update the panels of this tab's user."""
        self._wake_once(self._owner(state), tree_of(state))

    def _note(self, owner: str, tab: str | None, event: RequestEvent | None) -> None:
        self._recent.add(owner, event)
        self._wake_once(owner, tab)

    def _wake_once(self, owner: str, tab: str | None) -> None:
        # A task that has not started yet will show this request, too.
        if owner not in self._woken:
            self._woken[owner] = asyncio.create_task(self._wake(owner, tab))

    async def _wake(self, owner: str, tab: str | None) -> None:
        if self._app is None:
            return
        del self._woken[owner]
        tabs = {tab} if tab is not None else set()
        for token in tabs.union(self._connections.trees_of(owner)):
            for event in Event.from_event_type(RequestInspector.event_handlers["look"]):
                await start_event(self._app, token, event)

    def _requests_of(self, state: rx.State) -> list[Row]:
        return self._recent.of(self._owner(state))

    def _owner(self, state: rx.State) -> str:
        """The session id hash or, without a session, the tab."""
        connection = self._connections.of_tree(tree_of(state))
        session_id_hash = connection.session_id_hash if connection else None
        return session_id_hash or f"tab {tree_of(state)}"
