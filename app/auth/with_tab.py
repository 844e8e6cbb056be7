"""The methods of AuthService for the session of a tab, by the State of one of its handlers."""

from __future__ import annotations

from typing import Any

import reflex as rx

from .flows.devices import Device
from .flows.session_manager import SessionManager
from .flows.token_expiry import TokenExpiry, token_expiries
from .http.connections import Connection, Connections
from .http.requests import RequestSessions
from .reflex.events import tree_of
from .session import Activity, Session, SessionStore
from .user import User, copy_of


class WithTab:
    """A part of AuthService, which sets these attributes. A tab has a connection, and that is bound
    to one login; nothing that a client sends says whose session is meant.

    `store` is the session store that the service was made with. `sessions` are the flows: login,
    logout, refresh and devices, without Reflex.
    """

    store: SessionStore
    sessions: SessionManager
    _app: rx.App | None
    _connections: Connections
    _request_sessions: RequestSessions

    async def get_user(self, state: rx.State) -> User | None:
        """Read the public claims of this tab's user from the session; None if no user is signed in.

        Raises:
            StoreUnavailable: the session cannot be read.
        """
        session = await self._session(state)
        return self._request_sessions.public_claims.of(session.user) if session else None

    async def get_claims(self, state: rx.State) -> dict[str, Any] | None:
        """Read all claims of this tab's user, for use on the server; None if no user is signed in.

        Raises:
            StoreUnavailable: the session cannot be read.
        """
        session = await self._session(state)
        return session.claims() if session else None

    async def get_data(self, state: rx.State) -> dict[str, Any] | None:
        """Read what `before_session` kept for the server; None if no user is signed in.

        Raises:
            StoreUnavailable: the session cannot be read.
        """
        session = await self._session(state)
        return copy_of(session.data) if session else None

    async def devices(self, state: rx.State) -> list[Device]:
        """List the sessions of this tab's user: this one first, then the last seen first.

        Raises:
            StoreUnavailable: sessions cannot be read.
        """
        session_id_hash = self._session_id_hash(state)
        return await self.sessions.devices.of(session_id_hash) if session_id_hash else []

    async def end_device(self, state: rx.State, device_id: str) -> bool:
        """End the session with this id from `devices`. Returns False if the user has none.

        Its tabs sign out at once. Raises `StoreUnavailable`.
        """
        session_id_hash = self._session_id_hash(state)
        return (
            await self.sessions.devices.end(session_id_hash, device_id)
            if session_id_hash
            else False
        )

    async def end_other_devices(self, state: rx.State) -> int:
        """End all other sessions of this tab's user, and return their number.

        Raises `StoreUnavailable`.
        """
        session_id_hash = self._session_id_hash(state)
        return await self.sessions.devices.end_others(session_id_hash) if session_id_hash else 0

    async def recent_activity(self, state: rx.State, *, limit: int = 20) -> list[Activity]:
        """List how logins of this tab's user began and ended, the latest first: at most `limit` of
        the 50 that are kept, for 90 days at most. They are entries of the audit trail, kept in the
        session store, and only those of this `sub` at this provider and issuer.

        Raises:
            StoreUnavailable: they cannot be read.
        """
        session_id_hash = self._session_id_hash(state)
        if session_id_hash is None:
            return []
        return await self.sessions.recent_activity.of(session_id_hash, limit)

    async def token_expiries(self, state: rx.State) -> list[TokenExpiry]:
        """List when the access tokens of this tab's session expire, one entry for each API. The
        tokens themselves are not in it. Empty if no user is signed in.

        Raises:
            StoreUnavailable: the session cannot be read.
        """
        session = await self._session(state)
        return token_expiries(session) if session else []

    async def user_changed(self, state: rx.State) -> None:
        """Publish that this tab's user has changed: the subscribed handlers run again in all of the
        user's open tabs, on any device. Raises `StoreUnavailable`."""
        session_id_hash = self._session_id_hash(state)
        if session_id_hash is not None:
            await self.sessions.changed(session_id_hash)

    def _session_id_hash(self, state: rx.State) -> str | None:
        connection = self._connection(state)
        return connection.session_id_hash if connection else None

    def _connection(self, state: rx.State) -> Connection | None:
        self._installed()
        return self._connections.of_tree(tree_of(state))

    def _installed(self) -> rx.App:
        if self._app is None:
            raise RuntimeError("AuthService.install(app) has not been called.")
        return self._app

    async def _session(self, state: rx.State) -> Session | None:
        session_id_hash = self._session_id_hash(state)
        stored = await self.store.load(session_id_hash) if session_id_hash else None
        return stored.session if stored else None
