"""What this layer uses of Reflex that Reflex does not document as public.

Each has what it is for, and which public way is missing. `test_reflex_seam.py` names each of them
and fails when a version of Reflex lacks it. Nothing else in the app touches such a name
(`scripts/check_private_names.py`).
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import Any

import reflex as rx
from reflex.event import Event
from reflex.state import BaseState, StateUpdate

from ..log_throttle import LogThrottle

Delta = Mapping[str, Mapping[str, Any]]
Shown = Callable[[str, Delta], Delta | Awaitable[Delta]]
"""What of a delta the tab that shows this state tree may see."""

Page = Callable[[], rx.Component]


def new_state_tree() -> BaseState:
    """A state tree of defaults, made as Reflex's managers do: there is no public constructor."""
    return rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]


def pages_of(app: rx.App) -> Iterator[tuple[str, Any]]:
    """The route and the function of each page. An app has no public list of its pages."""
    for route, page in app._unevaluated_pages.items():
        yield route, page.component


def wrap_pages(app: rx.App, wrap: Callable[[Any], Any]) -> None:
    """Put `wrap(page)` in the place of each page that the app has, or adds later. A plugin's
    `eval_page` cannot: it has to build the whole page itself."""
    for route, page in app._unevaluated_pages.items():
        app._unevaluated_pages[route] = dataclasses.replace(page, component=wrap(page.component))
    add_page = app.add_page

    def add_wrapped(component: Any = None, *args: Any, **kwargs: Any) -> None:
        add_page(wrap(component), *args, **kwargs)

    app.add_page = add_wrapped  # type: ignore[method-assign]


def filter_deltas(app: rx.App, shown: Shown) -> None:
    """Let `shown` decide about each delta before it leaves. Reflex has no hook for it
    (`Middleware.postprocess` is never called), and a delta takes one of two ways out."""
    _filter_websocket(app, shown)
    _filter_uploads(app, shown)


def _filter_websocket(app: rx.App, shown: Shown) -> None:
    namespace = app.event_namespace
    if namespace is None:
        return
    emit_update = namespace.emit_update

    def emit(update: StateUpdate, token: str) -> Awaitable[None]:
        delta = shown(token, update.delta) if update.delta else update.delta
        if delta is update.delta:  # as nearly always
            return emit_update(update, token)
        return emit_filtered(update, token, delta)

    async def emit_filtered(
        update: StateUpdate, token: str, delta: Delta | Awaitable[Delta]
    ) -> None:
        if isinstance(delta, Awaitable):
            delta = await delta
        if delta or update.events:
            await emit_update(dataclasses.replace(update, delta=delta), token)

    namespace.emit_update = emit  # type: ignore[method-assign,assignment]


def _filter_uploads(app: rx.App, shown: Shown) -> None:
    """What an upload's handler changes goes back in the answer to it."""
    processor = app.event_processor
    enqueue_stream_delta = processor.enqueue_stream_delta

    async def stream(token: str, event: Event) -> AsyncGenerator[Delta]:
        async with aclosing(enqueue_stream_delta(token, event)) as deltas:
            async for delta in deltas:
                result = shown(token, delta)
                yield await result if isinstance(result, Awaitable) else result

    processor.enqueue_stream_delta = stream  # type: ignore[method-assign]


class DisconnectedDeltas(logging.Filter):
    """Lets through few of the warnings that Reflex logs each time that a handler writes to a tab
    which has gone. A handler may go on for long after its user has logged out."""

    TEXT = "Attempting to send delta to disconnected client"

    def __init__(self) -> None:
        super().__init__()
        self._throttle = LogThrottle()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log the record."""
        return not str(record.msg).startswith(self.TEXT) or self._throttle.is_due(self.TEXT)


class Tracebacks(logging.Filter):
    """Turns the tracebacks that a client's message can provoke in Socket.IO and Engine.IO into a
    line now and then. Both log whatever fails while they handle a message."""

    def __init__(self) -> None:
        super().__init__()
        self._throttle = LogThrottle()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log the record."""
        if not record.exc_info:
            return True
        kind = record.exc_info[0]
        record.msg, record.args = "%s: %s", (record.getMessage(), kind.__name__ if kind else "")
        record.exc_info = record.exc_text = None
        return self._throttle.is_due(record.name)


LOG_FILTERS: dict[str, type[logging.Filter]] = {
    "reflex.app": DisconnectedDeltas,
    "engineio.server": Tracebacks,
    "socketio.server": Tracebacks,
}


def filter_logs() -> None:
    """Install the filters, once."""
    for name, log_filter in LOG_FILTERS.items():
        logger = logging.getLogger(name)
        if not any(isinstance(each, log_filter) for each in logger.filters):
            logger.addFilter(log_filter())
