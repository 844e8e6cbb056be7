"""Every private name and undocumented contract of Reflex and python-socketio that the layer relies
on. A version that breaks one fails here, with a sentence that says what is missing."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import logging
from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx
import socketio
from reflex.app import EventNamespace
from reflex.event import Event
from reflex.istate.manager.redis import StateManagerRedis
from reflex.istate.manager.token import BaseStateToken
from reflex.middleware.middleware import Middleware
from reflex.state import EventHandlerSetVar, OnLoadInternalState, State, StateUpdate
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.event.context import EventContext
from reflex_base.event.processor import BaseStateEventProcessor
from reflex_base.registry import RegistrationContext

from app.auth.reflex.reflex_seam import (
    DisconnectedDeltas,
    converted_payload,
    new_state_tree,
    pages_of,
    sent_variables,
    wrap_pages,
)

TREE = "11111111-2222-4333-8444-555555555555"


def page() -> rx.Component:
    return rx.el.p("a page")


def parameters(function: Callable[..., Any]) -> list[str]:
    """The names of its parameters, without `self`."""
    return [name for name in inspect.signature(function).parameters if name != "self"]


def pages_are_dataclasses(app: rx.App) -> bool:
    app.add_page(page, route="/a")
    entry = app._unevaluated_pages["a"]
    return dataclasses.is_dataclass(entry) and entry.component is page


def emits_new_token(_: rx.App) -> bool:
    source = inspect.getsource(EventNamespace.link_token_to_sid)
    return 'self.emit("new_token", ' in source


def warns_of_disconnected(_: rx.App) -> bool:
    module = inspect.getmodule(EventNamespace.emit_update)
    return (
        module is not None
        and vars(module)["logger"].name == "reflex.app"
        and DisconnectedDeltas.TEXT in inspect.getsource(EventNamespace.emit_update)
    )


def has_session_of_tree(_: rx.App) -> bool:
    return isinstance(new_state_tree().rx_router_session.client_token, str)  # type: ignore[attr-defined]


class Size(enum.IntEnum):
    SMALL = 1


class Probe(rx.State):
    value: int = 0

    @rx.var
    def shown(self) -> int:
        return self.value

    @rx.var(backend=True)
    def hidden(self) -> int:
        return self.value

    @rx.event
    def take(self, size: Size, other: str = "") -> None: ...


def marks_fields(_: rx.App) -> bool:
    probe = Probe(_reflex_internal_init=True)  # type: ignore[call-arg]
    probe.value = 1
    return f"value{FIELD_MARKER}" in probe.get_delta()[Probe.get_full_name()]


def tree_key(_: rx.App) -> bool:
    return str(BaseStateToken(ident=TREE, cls=State)) == f"{TREE}_{State.get_full_name()}"


def stream_is_replaceable(_: rx.App) -> bool:
    processor = BaseStateEventProcessor()
    stream = processor.enqueue_stream_delta
    processor.enqueue_stream_delta = stream  # type: ignore[method-assign]
    return inspect.isasyncgenfunction(stream) and parameters(stream) == ["token", "event"]


def context_fields(_: rx.App) -> bool:
    names = {field.name for field in dataclasses.fields(EventContext)}
    emits = (EventContext.emit_delta, EventContext.emit_event)
    return {"token", "parent_txid"} <= names and all(map(inspect.iscoroutinefunction, emits))


def converts(_: rx.App) -> bool:
    payload = {"size": 1, "other": "x"}
    return converted_payload(Probe.event_handlers["take"], payload) == {
        "size": Size.SMALL,
        "other": "x",
    }


def tells_that_it_is_loaded(app: rx.App) -> bool:
    names = {f"{state.get_full_name()}.set_is_hydrated" for state in (State, OnLoadInternalState)}
    return (
        names <= RegistrationContext.ensure_context().event_handlers.keys()
        and parameters(app.get_load_events) == ["path"]
        and State.get_fields()["is_hydrated"].default is False
    )


CONTRACTS: dict[str, Callable[[rx.App], bool]] = {
    "App._unevaluated_pages is a dict of dataclasses with `component`": pages_are_dataclasses,
    "App.add_page takes the component first": lambda app: (
        parameters(app.add_page)[0] == "component"
    ),
    "EventNamespace.emit_update takes (update, token)": lambda _: (
        parameters(EventNamespace.emit_update) == ["update", "token"]
    ),
    "an event processor's enqueue_stream_delta(token, event) is an async generator that can be "
    "replaced": stream_is_replaceable,
    "State(_reflex_internal_init=True) makes a tree": lambda _: isinstance(new_state_tree(), State),
    "logger reflex.app warns of deltas to disconnected clients": warns_of_disconnected,
    "EventNamespace.link_token_to_sid emits `new_token`": emits_new_token,
    "EventContext has token, parent_txid, emit_delta and emit_event": context_fields,
    "_transform_event_payload(payload, hints) converts what a handler gets": converts,
    "State and OnLoadInternalState have `set_is_hydrated`, the last event of a page load": (
        tells_that_it_is_loaded
    ),
    "App.set_contexts is a context manager": lambda app: hasattr(app.set_contexts(), "__enter__"),
    "App.state_manager has set_state and modify_state": lambda app: (
        {"set_state", "modify_state"} <= set(dir(app.state_manager))
    ),
    "State.rx_router_session.client_token is a text": has_session_of_tree,
    "EventHandlerSetVar is what `setvar` is": lambda _: isinstance(
        RegistrationContext.ensure_context()
        .event_handlers[f"{State.get_full_name()}.setvar"]
        .handler,
        EventHandlerSetVar,
    ),
    "FIELD_MARKER ends the names in a delta": marks_fields,
    "a computed variable knows by `_backend` that it stays on the server": lambda _: (
        sent_variables(Probe) == ["value", "shown"]
    ),
    "StateManagerRedis.redis is its client": lambda _: (
        "redis" in StateManagerRedis.__dataclass_fields__
    ),
    "a BaseStateToken is written <ident>_<full name>": tree_key,
    "socketio.AsyncServer.register_namespace takes a namespace": lambda _: (
        parameters(socketio.AsyncServer.register_namespace) == ["namespace_handler"]
    ),
    "socketio.AsyncNamespace.trigger_event(event, *args) is called for each event": lambda _: (
        inspect.iscoroutinefunction(socketio.AsyncNamespace.trigger_event)
        and parameters(socketio.AsyncNamespace.trigger_event) == ["event", "args"]
    ),
}


@pytest.mark.parametrize("contract", CONTRACTS)
def test_contract(app: rx.App, contract: str) -> None:
    """Reflex and python-socketio have what the layer relies on, in the shape that it expects."""
    try:
        holds = CONTRACTS[contract](app)
    except Exception as error:
        pytest.fail(f"This version of Reflex breaks: {contract} ({error!r})")
    assert holds, f"This version of Reflex breaks: {contract}"


async def test_everything_leaves_through_emit_update(app: rx.App) -> None:
    """Deltas and events of an event processor go through the attribute `emit_update` of its
    namespace, also if that is replaced after the processor was configured."""
    namespace: Any = app.event_namespace
    processor = BaseStateEventProcessor().configure(event_namespace=namespace)
    sent: list[tuple[StateUpdate, str]] = []

    async def emit_update(update: StateUpdate, token: str) -> None:
        sent.append((update, token))

    namespace.emit_update = emit_update
    root: Any = processor._root_context
    context = root.fork(token=TREE)
    await context.emit_delta({"state": {"value": 1}})
    await context.emit_event(Event(name="an_event"))
    assert [token for _, token in sent] == [TREE, TREE], "emit_update of the namespace is bypassed"
    assert sent[0][0].delta == {"state": {"value": 1}}
    assert [each.name for each in sent[1][0].events] == ["an_event"]


async def test_middleware_that_is_not_awaited(app: rx.App) -> None:
    """Reflex awaits what `Middleware.preprocess` returns only if it is awaitable."""

    class Plain(Middleware):
        def preprocess(self, app: rx.App, state: Any, event: Event) -> None:  # type: ignore[override]
            seen.append(event.name)

    seen: list[str] = []
    app.add_middleware(Plain())
    assert await app._preprocess(new_state_tree(), Event(name="an_event")) is None
    assert seen == ["an_event"]


def test_wrap_pages(app: rx.App) -> None:
    """The pages that an app has and those that it adds later are wrapped, each once."""
    app.add_page(page, route="/before")
    wrap_pages(app, lambda component: (component, "wrapped"))
    assert dict(pages_of(app))["before"] == (page, "wrapped")


def test_wrap_later_pages(app: rx.App) -> None:
    """So is one that is added afterwards, whether its function is named or not; its other arguments
    stay."""

    def wrapped() -> rx.Component:
        return rx.el.main(page())

    wrap_pages(app, lambda _: wrapped)
    app.add_page(page, "/first", title="First")
    app.add_page(component=page, route="/second")
    assert dict(pages_of(app)) == {"first": wrapped, "second": wrapped}
    assert app._unevaluated_pages["first"].title == "First"


def test_disconnected_deltas() -> None:
    """Of Reflex's warnings about a tab that has gone few pass; of others each one."""
    quiet = DisconnectedDeltas()

    def passed(text: str) -> list[bool]:
        record = logging.LogRecord("reflex.app", logging.WARNING, "", 0, text, (), None)
        return [quiet.filter(record) for _ in range(50)]

    assert passed(f"{DisconnectedDeltas.TEXT} 'tree'") == [True] + [False] * 49
    assert all(passed("Something else"))
