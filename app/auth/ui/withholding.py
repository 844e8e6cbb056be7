"""What leaves for a browser: never the value of a variable that its viewer may not see."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import reflex as rx
from reflex.state import BaseState, StateUpdate
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.registry import RegistrationContext

from ..core.access import Viewer, decide
from ..errors import StoreUnavailable
from ..session import SessionStore
from .access_marks import AccessRules
from .bound_to import BoundTo, bound_to
from .socket import is_here, reference_of_tab

Delta = Mapping[str, Mapping[str, Any]]


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
        self, rules: AccessRules, store: SessionStore, *, clock: Callable[[], float]
    ) -> None:
        self._rules = rules
        self._store = store
        self._clock = clock
        self._defaults: Delta | None = None
        self._public: dict[str, bool] = {}

    def install(self, app: rx.App) -> None:
        """Begin, once the app has its websocket."""
        namespace = app.event_namespace
        if namespace is None:
            return
        emit_update = namespace.emit_update

        async def emit(update: StateUpdate, token: str) -> None:
            bound = update.bound if isinstance(update, BoundUpdate) else bound_to.get()
            if not is_here(app, token):
                await emit_update(BoundUpdate.of(update, bound), token)
                return
            ref = reference_of_tab(app, token)
            if bound is not None and await self._is_for_somebody_else(bound, ref):
                update = self._for_whoever_it_is(update, bound)
            if update.delta:
                update = dataclasses.replace(update, delta=await self.shown(update.delta, ref))
            if update.delta or update.events:
                await emit_update(update, token)

        namespace.emit_update = emit  # type: ignore[method-assign]

    async def shown(self, delta: Delta, ref: str | None) -> Delta:
        """The delta as a tab may see it whose session has this reference."""
        if all(map(self._is_public, delta)):
            return delta
        viewer = await self._viewer(ref)
        return {
            name: values if self._is_public(name) else await self._of_state(name, values, viewer)
            for name, values in delta.items()
        }

    async def _is_for_somebody_else(self, bound: BoundTo, ref: str | None) -> bool:
        """Whether the tab is no longer the user's for whom the event that sends this was bound.

        A tab is its newest connection's from the moment that one opens, and the event that runs
        then may be of the one before.
        """
        if bound.ref == ref:
            return False
        viewer = await self._viewer(ref)
        return (viewer.user.get("sub") if viewer else None) != bound.sub

    def _for_whoever_it_is(self, update: StateUpdate, bound: BoundTo) -> StateUpdate:
        """Nothing of it; the new connection is about to get the whole state. Of a public handler
        that goes on in the background, what everybody may see."""
        if not bound.outlives_user:
            return StateUpdate()
        delta = {name: values for name, values in update.delta.items() if self._is_public(name)}
        return dataclasses.replace(update, delta=delta)

    async def _of_state(
        self, state_name: str, values: Mapping[str, Any], viewer: Viewer | None
    ) -> dict[str, Any]:
        state = _state(state_name)
        if state is None:
            return dict(values)
        shown = {}
        for key, value in values.items():
            rule = self._rules.of_variable(state, key.removesuffix(FIELD_MARKER))
            may_see = (await decide(rule, viewer)).denial is None
            shown[key] = value if may_see else self._default(state_name, key)
        return shown

    async def _viewer(self, ref: str | None) -> Viewer | None:
        try:
            stored = await self._store.load(ref) if ref else None
        except StoreUnavailable:
            return None
        return Viewer.of(stored.session, self._clock()) if stored else None

    def _is_public(self, state_name: str) -> bool:
        """Whether all of a State is for everybody, so that nobody has to be looked up for it."""
        known = self._public.get(state_name)
        if known is None:
            state = _state(state_name)
            known = state is None or all(
                self._rules.of_variable(state, name).is_public for name in state.vars
            )
            self._public[state_name] = known
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


def _state(name: str) -> type[BaseState] | None:
    return RegistrationContext.get().base_states.get(name)
