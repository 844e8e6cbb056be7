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
from .socket import reference_of_tab

Delta = Mapping[str, Mapping[str, Any]]


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
            if update.delta:
                shown = await self.shown(update.delta, lambda: reference_of_tab(app, token))
                update = dataclasses.replace(update, delta=shown)
            await emit_update(update, token)

        namespace.emit_update = emit  # type: ignore[method-assign]

    async def shown(self, delta: Delta, ref: Callable[[], str | None]) -> Delta:
        """The delta as a tab may see it; `ref` looks up the reference of its session."""
        if all(map(self._is_public, delta)):
            return delta
        viewer: Viewer | None = None
        is_known = False
        result: dict[str, dict[str, Any]] = {}
        for state_name, values in delta.items():
            if self._is_public(state_name):
                result[state_name] = dict(values)
                continue
            if not is_known:
                viewer, is_known = await self._viewer(ref()), True
            result[state_name] = await self._of_state(state_name, values, viewer)
        return result

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
