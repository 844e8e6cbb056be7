"""What leaves for a browser: never the value of a variable that its viewer may not see."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing
from enum import IntEnum
from typing import Any

import reflex as rx
from reflex.event import Event
from reflex.state import BaseState, StateUpdate
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.registry import RegistrationContext

from ..access.policy import Rule, decide_for
from ..errors import StoreUnavailable
from ..session import Session, SessionStore
from .access_rules import AccessRules
from .bound_to import BoundTo, bound_to
from .connections import Connections

Delta = Mapping[str, Mapping[str, Any]]


class Needs(IntEnum):
    """What it takes to see something."""

    NOTHING = 1
    SESSION = 2
    CHECKS = 3


@dataclasses.dataclass(frozen=True)
class BoundUpdate(StateUpdate):
    """On its way to another process, which has the tab's connection now: whom it was bound to."""

    bound: BoundTo | None = None

    @classmethod
    def of(cls, update: StateUpdate, bound: BoundTo | None) -> BoundUpdate:
        """The update, and whom it was bound to."""
        fields = dataclasses.fields(StateUpdate)
        return cls(**{field.name: getattr(update, field.name) for field in fields}, bound=bound)


class Withholding:
    """Stands where every delta passes: of an event, a hydrate, a reconnect, another tab's push.

    A variable that may not be seen is shown as its default, which every browser has from the page
    itself. While sessions cannot be read, whoever is there counts as nobody.
    """

    def __init__(
        self,
        rules: AccessRules,
        store: SessionStore,
        connections: Connections,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._rules = rules
        self._store = store
        self._connections = connections
        self._clock = clock
        self._defaults: Delta | None = None
        self._known_needs: dict[str, Needs] = {}

    def install(self, app: rx.App) -> None:
        """Begin, once the app runs."""
        self._stand_before_the_websocket(app)
        self._stand_before_uploads(app)

    def _stand_before_uploads(self, app: rx.App) -> None:
        """What an upload's handler changes goes back in the answer to it, and by no websocket."""
        processor = app.event_processor
        stream_delta = processor.enqueue_stream_delta

        async def stream(token: str, event: Event) -> AsyncGenerator[Delta]:
            ref = self._connections.reference_of_tab(token)  # whose cookie the gate has seen
            async with aclosing(stream_delta(token, event)) as deltas:
                async for delta in deltas:
                    yield await self.shown(delta, ref)

        processor.enqueue_stream_delta = stream  # type: ignore[method-assign]

    def _stand_before_the_websocket(self, app: rx.App) -> None:
        namespace = app.event_namespace
        if namespace is None:
            return
        emit_update = namespace.emit_update

        def emit(update: StateUpdate, token: str) -> Coroutine[Any, Any, None]:
            bound = update.bound if type(update) is BoundUpdate else bound_to.get()
            sid = self._connections.connection_of_tab(token)
            if bound is not None and bound.sid == sid and self._all_is_shown(update.delta, bound):
                return emit_update(update, token)  # as nearly always; found out without waiting
            return emit_shown(update, token, bound, sid)

        async def emit_shown(
            update: StateUpdate, token: str, bound: BoundTo | None, sid: str | None
        ) -> None:
            if sid is None:
                await emit_update(BoundUpdate.of(update, bound), token)
                return
            if bound is not None and bound.ref is not None and bound.sid == sid:
                ref: str | None = bound.ref
            else:
                ref = self._connections.reference_of(sid)
                if bound is not None and await self._is_for_somebody_else(bound, ref):
                    update = self._for_whoever_it_is(update, bound)
            shown = await self.shown(update.delta, ref)
            if shown is not update.delta:
                update = dataclasses.replace(update, delta=shown)
            if update.delta or update.events:
                await emit_update(update, token)

        namespace.emit_update = emit  # type: ignore[method-assign]

    def _all_is_shown(self, delta: Delta, bound: BoundTo) -> bool:
        """Whether there is something, all of which its user may see; if that is known already."""
        if not delta or bound.ref is None:
            return False
        most = self._most(delta)
        return most is Needs.NOTHING or (
            most is Needs.SESSION and self._store.cached(bound.ref) is not None
        )

    def _most(self, delta: Delta) -> Needs:
        most, known = Needs.NOTHING, self._known_needs
        for name in delta:
            needs = known[name] if name in known else self._needs(name)
            if needs > most:
                most = needs
        return most

    async def shown(self, delta: Delta, ref: str | None) -> Delta:
        """The delta as a tab may see it whose session has this reference."""
        most = self._most(delta)
        if most is Needs.NOTHING:
            return delta
        session = await self._session(ref)
        if session is not None and most is Needs.SESSION:
            return delta
        return {
            name: values
            if self._needs(name) is Needs.NOTHING
            else await self._of_state(name, values, session)
            for name, values in delta.items()
        }

    async def _is_for_somebody_else(self, bound: BoundTo, ref: str | None) -> bool:
        """Whether the tab is no longer the user's for whom the event that sends this was bound.

        A tab is its newest connection's from the moment that one opens, and the event that runs
        then may be of the one before.
        """
        if ref is not None and bound.ref == ref:
            return False
        session = await self._session(ref)
        return (session.sub if session else None) != bound.sub

    def _for_whoever_it_is(self, update: StateUpdate, bound: BoundTo) -> StateUpdate:
        """Nothing of it; the new connection is about to get the whole state. Of a public handler
        that goes on in the background, the variables that everybody may see; but no events, which
        may hold anything (a message, a download)."""
        if not bound.outlives_user:
            return StateUpdate()
        return StateUpdate(
            delta={n: v for n, v in update.delta.items() if self._needs(n) is Needs.NOTHING}
        )

    async def _of_state(
        self, state_name: str, values: Mapping[str, Any], session: Session | None
    ) -> dict[str, Any]:
        state = _state(state_name)
        if state is None:
            return dict(values)
        shown = {}
        for key, value in values.items():
            rule = self._rules.of_variable(state, key.removesuffix(FIELD_MARKER))
            may_see = (await decide_for(rule, session, self._clock)).denial is None
            shown[key] = value if may_see else self._default(state_name, key)
        return shown

    async def _session(self, ref: str | None) -> Session | None:
        try:
            stored = await self._store.load(ref) if ref else None
        except StoreUnavailable:
            return None
        return stored.session if stored else None

    def _needs(self, state_name: str) -> Needs:
        """The most that any variable of a State asks for."""
        known = self._known_needs.get(state_name)
        if known is None:
            state = _state(state_name)
            rules = [self._rules.of_variable(state, name) for name in state.vars] if state else []
            known = max(map(_needs_of, rules), default=Needs.NOTHING)
            self._known_needs[state_name] = known
        return known

    def _default(self, state_name: str, key: str) -> Any:
        if self._defaults is None:
            root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
            self._defaults = root.dict(initial=True)
        value = self._defaults.get(state_name, {}).get(key)
        if inspect.iscoroutine(value):
            value.close()
            return None
        return value


def _needs_of(rule: Rule) -> Needs:
    if rule.is_public:
        return Needs.NOTHING
    return Needs.CHECKS if rule.checks else Needs.SESSION


def _state(name: str) -> type[BaseState] | None:
    return RegistrationContext.get().base_states.get(name)
