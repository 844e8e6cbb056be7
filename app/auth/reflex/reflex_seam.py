"""The private names of Reflex that this layer needs.

Each function says what it does and which public API is missing. `test_reflex_seam.py` names each
private name and fails when a version of Reflex lacks it. No other module uses such names
(`scripts/check_private_names.py` checks this).
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import Any, get_type_hints

import reflex as rx
from reflex.event import Event
from reflex.state import BaseState, StateUpdate
from reflex_base.event import EventHandler
from reflex_base.event.processor.base_state_processor import _transform_event_payload

from ..log_throttle import LogThrottle

Delta = Mapping[str, Mapping[str, Any]]
Shown = Callable[[str, Delta], Delta | Awaitable[Delta]]
"""Returns what the tab that shows a state tree may see of a delta."""

Page = Callable[[], rx.Component]


def new_state_tree() -> BaseState:
    """Make a state tree of defaults, as Reflex's managers do. There is no public constructor."""
    return rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]


def sent_variables(state: type[BaseState]) -> list[str]:
    """Return the names of the variables that Reflex sends to the browser as those of a State.
    `vars` also has those of its parents, and computed variables with `backend=True`."""
    computed = [name for name, each in state.computed_vars.items() if not each._backend]
    return [*state.base_vars, *computed]


def pages_of(app: rx.App) -> Iterator[tuple[str, Any]]:
    """Yield the route and the function of each page. An app has no public list of its pages."""
    for route, page in app._unevaluated_pages.items():
        yield route, page.component


def converted_payload(handler: EventHandler, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a payload to the arguments that a handler gets. Reflex does this just before it calls
    the handler, in a function of its own. Raises `ValueError` if a value cannot be converted."""
    try:
        hints = get_type_hints(handler.fn)
    except (NameError, TypeError):
        hints = {}
    return _transform_event_payload(payload, hints)


def wrap_pages(app: rx.App, wrap: Callable[[Any], Any]) -> None:
    """Replace each page that the app has or adds later by `wrap(page)`. A plugin's `eval_page` does
    not suffice: it has to build the whole page itself."""
    for route, page in app._unevaluated_pages.items():
        app._unevaluated_pages[route] = dataclasses.replace(page, component=wrap(page.component))
    add_page = app.add_page

    def add_wrapped(component: Any = None, *args: Any, **kwargs: Any) -> None:
        add_page(wrap(component), *args, **kwargs)

    app.add_page = add_wrapped  # type: ignore[method-assign]


def filter_deltas(app: rx.App, shown: Shown) -> None:
    """Filter each delta through `shown` before it is sent. Reflex has no hook for this
    (`Middleware.postprocess` is never called). It sends deltas by websocket and in uploads."""
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
    """The deltas of an upload's handler are in the response to the upload."""
    processor = app.event_processor
    enqueue_stream_delta = processor.enqueue_stream_delta

    async def stream(token: str, event: Event) -> AsyncGenerator[Delta]:
        async with aclosing(enqueue_stream_delta(token, event)) as deltas:
            async for delta in deltas:
                result = shown(token, delta)
                yield await result if isinstance(result, Awaitable) else result

    processor.enqueue_stream_delta = stream  # type: ignore[method-assign]


class DisconnectedDeltas(logging.Filter):
    """Throttles the warning that Reflex logs whenever a handler writes to a disconnected tab. A
    handler may run for long after its user has logged out."""

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
