"""All that is done with sessions, put together; it knows no web framework."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

import httpx

from ..audit import AuditTrail, Kind, Outcome
from ..config import AuthConfig
from ..errors import StoreUnavailable
from ..session import Session, SessionStore, hash_session_id
from .access_tokens import AccessTokens
from .backchannel_logout import BackchannelLogout
from .background import Background
from .callback import Callback, CompletedLogin
from .devices import Devices
from .login import Login
from .logout import Logout
from .provider import Provider
from .refresh import Refresher, RefreshLocks
from .session_events import SessionEndReason, SessionEvent, SessionEventKind, SessionEvents

logger = logging.getLogger(__name__)

PURGE_INTERVAL = 60.0  # seconds between two clearings of what has expired


class SessionManager:
    """Logging in and out, tokens and devices; and whom to tell when a session begins or ends.

    `handle` and `look_again` are those of `SessionEvents`.
    """

    def __init__(
        self,
        config: AuthConfig,
        store: SessionStore,
        pool: httpx.AsyncBaseTransport,
        audit: AuditTrail,
        *,
        audiences: Collection[str],
        handle: Callable[[SessionEvent], Awaitable[None]],
        look_again: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._store = store
        self._audit = audit
        self._background = Background()
        self._events = SessionEvents(store, handle=handle, look_again=look_again)
        provider = Provider(config, pool, clock=clock)
        refresh_locks = RefreshLocks(store)
        refresher = Refresher(
            config,
            provider,
            store,
            clock=clock,
            on_session_end=self.ended,
        )
        self.tokens = AccessTokens(
            store,
            refresh_locks,
            refresher,
            audit,
            multi_resource_refresh_tokens=config.multi_resource_refresh_tokens,
            clock=clock,
            jitter=jitter,
        )
        self.login = Login(config, provider, store, audiences=audiences, clock=clock)
        self.callback = Callback(config, provider, store, refresh_locks, clock=clock, jitter=jitter)
        self.logout = Logout(config, provider, store)
        self.backchannel_logout = BackchannelLogout(provider, store, on_session_end=self.ended)
        self.devices = Devices(store, on_session_end=self._ended_elsewhere)

    async def begun(self, login: CompletedLogin, browser: str | None) -> None:
        """A user has logged in; the other tabs of that browser (the hash of its cookie) follow."""
        new = hash_session_id(login.session_id)
        if login.replaced is not None:
            kind = SessionEventKind.RENEWED if login.is_renewed else SessionEventKind.REPLACED
            await self._events.publish(kind, login.replaced)
        if browser is not None:
            await self._events.publish(SessionEventKind.SIGNED_IN, f"{browser}.{new}")
        await self._tell_other_devices(new)

    async def ended(self, ref: str, session: Session, reason: SessionEndReason) -> None:
        """A session is gone: no user is signed in in its tabs any more."""
        is_revoked = reason is SessionEndReason.REFUSED
        kind = Kind.SESSION_REVOKED if is_revoked else Kind.LOGOUT
        self._audit.record(kind, Outcome.SUCCESS, reason, sub=session.sub, ref=ref)
        await self._events.publish(SessionEventKind.ENDED, ref)
        await self._tell_other_devices(ref, session)

    async def changed(self, ref: str) -> None:
        """Something about the user of this session is not as it was; raises `StoreUnavailable`."""
        for each in await self.devices.references(ref):
            await self._events.publish(SessionEventKind.CHANGED, each)

    async def free_what_has_expired(self) -> None:
        """Free it in the store, and note which sessions that were; raises `StoreUnavailable`."""
        for ref, session in (await self._store.purge()).items():
            sub = session.sub if session else None
            await self._events.publish(SessionEventKind.ENDED, ref)
            self._audit.record(Kind.SESSION_EXPIRED, Outcome.SUCCESS, "expired", sub=sub, ref=ref)

    def start(self) -> None:
        """Begin what goes on while the app runs."""
        self._background.start(self._events.listen())
        self._background.start(self._keep_freeing())

    async def stop(self) -> None:
        """End it."""
        await self._background.stop()
        await self._audit.stop()

    async def _ended_elsewhere(self, ref: str, session: Session, how: SessionEndReason) -> None:
        """Its tabs first; the provider, which may be slow to forget the tokens, afterwards."""
        await self.ended(ref, session, how)
        self._background.start(self.logout.revoke(session))

    async def _tell_other_devices(self, ref: str, ended: Session | None = None) -> None:
        """The user's list of devices is another one now; only for showing, so no error."""
        try:
            for other in await self.devices.references(ref, ended):
                if other != ref:
                    await self._events.publish(SessionEventKind.CHANGED, other)
        except StoreUnavailable as error:
            logger.warning("A user's other devices were not told: %s", error.code)

    async def _keep_freeing(self) -> None:
        while True:
            try:
                await self.free_what_has_expired()
            except StoreUnavailable as error:
                logger.warning("Expired sessions were not freed: %s", error.code)
            await asyncio.sleep(PURGE_INTERVAL)
