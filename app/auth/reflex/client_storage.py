"""What browsers keep for guarded variables (`rx.Cookie`, `rx.LocalStorage`, `rx.SessionStorage`).

These values outlive a login, and the browser sends them under the next one. A tag beside them, in
`AuthState`, names their owner. The values of another user are replaced by the defaults, here and in
the browser.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any

import reflex as rx
from reflex.event import Event
from reflex.istate.storage import ClientStorageBase, SessionStorage
from reflex.state import BaseState, UpdateVarsInternalState
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.registry import RegistrationContext

from ..access.policy import decide_for
from ..http.state_trees import NOBODY
from ..session import Session
from .access_rules import AccessRules
from .state import AuthState

HYDRATE_AND_LOAD = f"{rx.State.get_full_name()}.hydrate_and_load"
HYDRATES = frozenset({f"{rx.State.get_full_name()}.hydrate", HYDRATE_AND_LOAD})
"""A page load or a reconnect: the browser gets the whole state, and subscribers run again."""
_UPDATE = f"{UpdateVarsInternalState.get_full_name()}.update_vars_internal"


class ShownBefore(StrEnum):
    """Whose state tree a tab showed before the one that it asks for."""

    UNKNOWN = "unknown"
    SAME = "same"
    VISITOR = "visitor"  # no user was signed in
    USER = "user"


class ClientStorage:
    """Decides which stored values of a browser are accepted. The tag of a user is an HMAC of the
    `Session.identity`, which a script cannot reverse. `secrets` are its keys, newest first."""

    def __init__(
        self, rules: AccessRules, secrets: Sequence[str], *, clock: Callable[[], float]
    ) -> None:
        self._rules = rules
        self._secrets = [secret.encode() for secret in secrets]
        self._clock = clock
        self._has_guarded: bool | None = None

    async def filter(
        self, event: Event, session: Session | None, state_key: str | None
    ) -> ShownBefore:
        """Remove from an event the values that its user may not see and those of unknown variables.
        Replace the values of another user by the defaults.

        `state_key` is that of the login, None where no user is signed in. At a hydrate, the tab is
        given a tag of it to keep, and the tag that it kept tells what it showed before: in every
        process, and after a restart.
        """
        if event.name not in (HYDRATE_AND_LOAD, _UPDATE):
            return ShownBefore.UNKNOWN
        given = event.payload.get("vars") or {}
        if not isinstance(given, dict):
            return ShownBefore.UNKNOWN  # it does not fit, and the access control drops it
        values = {name: value for name, value in given.items() if isinstance(value, str)}
        permitted = await self._permitted(values, session)
        if event.name == HYDRATE_AND_LOAD and session is not None:
            permitted |= self._owned(permitted, values, self._tags(session.identity))
        shown = ShownBefore.UNKNOWN
        if event.name == HYDRATE_AND_LOAD and (session is None) == (state_key is None):
            permitted[_LOGIN] = self._login_tags(state_key or NOBODY)[0]
            shown = self._shown_before(values.get(_LOGIN), state_key or NOBODY)
        if permitted or "vars" in event.payload:
            event.payload["vars"] = permitted
        return shown

    def _shown_before(self, tag: str | None, login: str) -> ShownBefore:
        if not tag:
            return ShownBefore.UNKNOWN
        if tag in self._login_tags(login):
            return ShownBefore.SAME
        return ShownBefore.VISITOR if tag in self._login_tags(NOBODY) else ShownBefore.USER

    async def _permitted(self, values: dict[str, str], session: Session | None) -> dict[str, str]:
        permitted = {}
        for full_name, value in values.items():
            state, name = _variable(full_name)
            if state is not None:
                rule = self._rules.of_variable(state, name)
                if (await decide_for(rule, session, self._clock)).denial is None:
                    permitted[full_name] = value
        return permitted

    def _owned(
        self, permitted: dict[str, str], values: dict[str, str], tags: list[str]
    ) -> dict[str, str]:
        """The tags of this user, and the default of each guarded value that another one left. A
        value that is set at the hydrate goes back to the browser, which then keeps it."""
        is_own = {name: values.get(name) in tags for name in _OWNERS.values()}
        # The page needs the tag of the tab (kept-forms.js); the other has to say something only if
        # the app has a guarded variable in client storage.
        owned = {name: tags[0] for of_tab, name in _OWNERS.items() if of_tab or self._guards_any()}
        for full_name in permitted:
            state, name = _variable(full_name)
            if state is None or self._rules.of_variable(state, name).is_public:
                continue
            default = state.get_fields()[name].default
            if not is_own[_OWNERS[isinstance(default, SessionStorage)]]:
                owned[full_name] = str(default)
        return owned

    def _guards_any(self) -> bool:
        """Whether the app has a guarded variable in client storage."""
        if self._has_guarded is None:
            self._has_guarded = any(
                not self._rules.of_variable(state, name).is_public
                for state in RegistrationContext.get().base_states.values()
                for name in _client_storage_of(state)
            )
        return self._has_guarded

    def _tags(self, identity: str) -> list[str]:
        return self._digests(f"storage owner\0{identity}")

    def _login_tags(self, login: str) -> list[str]:
        return self._digests(f"login\0{login}")

    def _digests(self, text: str) -> list[str]:
        data = text.encode()
        return [hmac.digest(secret, data, "sha256").hex()[:32] for secret in self._secrets]


_OWNERS = {
    is_of_tab: f"{AuthState.get_full_name()}.{name}{FIELD_MARKER}"
    for is_of_tab, name in ((False, "storage_owner"), (True, "tab_storage_owner"))
}
_LOGIN = f"{AuthState.get_full_name()}.login_tag{FIELD_MARKER}"


def _client_storage_of(state: type[BaseState]) -> Iterator[str]:
    for name, field in state.get_fields().items():
        if isinstance(field.default, ClientStorageBase):
            yield name


def _variable(full_name: str) -> tuple[type[BaseState] | None, str]:
    """The State and the plain name of a variable in client storage; no State for any other."""
    state_name, _, name = full_name.rpartition(".")
    name = name.removesuffix(FIELD_MARKER)
    state: Any = RegistrationContext.get().base_states.get(state_name)
    is_kept = state is not None and name in _client_storage_of(state)
    return (state if is_kept else None), name
