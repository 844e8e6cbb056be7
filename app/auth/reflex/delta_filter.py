"""Filters deltas: no value leaves for a browser whose user may not see the variable."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import IntEnum
from typing import Any

from reflex.state import BaseState
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.registry import RegistrationContext

from ..access.policy import Rule, decide_for
from ..errors import StoreUnavailable
from ..http.connections import Connection, Connections
from ..session import Session, SessionStore
from .access_rules import AccessRules
from .reflex_seam import Delta, new_state_tree, sent_variables

logger = logging.getLogger(__name__)


class Needs(IntEnum):
    """What a rule requires."""

    NOTHING = 1
    SESSION = 2
    CHECKS = 3


class DeltaFilter:
    """Filters every delta: of an event, a hydrate, or a push from another tab.

    A variable that the user may not see is replaced by its default, which is in the page's own
    scripts anyway. While sessions cannot be read, no user counts as signed in.
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

    def shown(self, tree: str, delta: Delta) -> Delta | Awaitable[Delta]:
        """Return the delta as the tab that shows this tree may see it. It is the same object if the
        tab may see all of it. Nearly always, this is known without waiting."""
        most = self._most(delta)
        connection = self._connections.of_tree(tree)
        # Without a connection here, Reflex hands it to the process that has it, or drops it.
        if connection is not None and connection.is_closed:
            return {}
        if most is Needs.NOTHING or connection is None:
            return delta
        session_id_hash = connection.session_id_hash
        stored = self._store.cached(session_id_hash) if session_id_hash is not None else None
        if most is Needs.SESSION and stored and stored.session.state_key == connection.state_key:
            return delta
        return self._shown(delta, connection, most)

    async def _shown(self, delta: Delta, connection: Connection, most: Needs) -> Delta:
        session = await self._session(connection)
        if session is not None and most is Needs.SESSION:
            return delta
        return {
            name: values
            if self._needs(name) is Needs.NOTHING
            else await self._of_state(name, values, session)
            for name, values in delta.items()
        }

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

    async def _session(self, connection: Connection) -> Session | None:
        """The session of the connection's login, or None if it has ended."""
        session_id_hash = connection.session_id_hash
        try:
            stored = await self._store.load(session_id_hash) if session_id_hash else None
        except StoreUnavailable:
            return None
        is_its = stored is not None and stored.session.state_key == connection.state_key
        return stored.session if stored and is_its else None

    def _most(self, delta: Delta) -> Needs:
        most, known = Needs.NOTHING, self._known_needs
        for name in delta:
            needs = known[name] if name in known else self._needs(name)
            if needs > most:
                most = needs
        return most

    def _needs(self, state_name: str) -> Needs:
        """The strictest requirement of any variable of a State."""
        known = self._known_needs.get(state_name)
        if known is None:
            state = _state(state_name)
            rules = [self._rules.of_variable(state, name) for name in state.vars] if state else []
            known = max(map(_needs_of, rules), default=Needs.NOTHING)
            self._known_needs[state_name] = known
        return known

    def _default(self, state_name: str, key: str) -> Any:
        if self._defaults is None:
            self._defaults = new_state_tree().dict(initial=True)
        value = self._defaults.get(state_name, {}).get(key)
        if inspect.iscoroutine(value):  # of an async computed variable: shown as None
            value.close()
            return None
        return value


async def values_with_checks(rules: AccessRules, root: BaseState) -> dict[str, dict[str, Any]]:
    """Return the current value of each variable of a state tree whose rule has checks. To be sent,
    through the filter, when the claims of the user have changed."""
    values: dict[str, dict[str, Any]] = {}
    for cls in RegistrationContext.get().base_states.values():
        names = [name for name in sent_variables(cls) if rules.of_variable(cls, name).checks]
        if names:
            state = await root.get_state(cls)
            found = {f"{name}{FIELD_MARKER}": await _value(state, name) for name in names}
            values[cls.get_full_name()] = found
    return values


async def _value(state: BaseState, name: str) -> Any:
    if name not in state.computed_vars:
        return state.get_value(name)
    try:
        value = getattr(state, name)
        return await value if inspect.isawaitable(value) else value
    except Exception:  # it must not keep the other values from being replaced
        logger.exception("The variable %s of %s has no value.", name, type(state).__name__)
        return None


def _needs_of(rule: Rule) -> Needs:
    if rule.is_public:
        return Needs.NOTHING
    return Needs.CHECKS if rule.checks else Needs.SESSION


def _state(name: str) -> type[BaseState] | None:
    return RegistrationContext.get().base_states.get(name)
