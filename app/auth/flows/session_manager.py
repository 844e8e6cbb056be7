"""All that is done with sessions, put together; it knows no web framework."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

import httpx

from ..audit import AuditTrail, Kind, Outcome
from ..config import AuthConfig
from ..errors import StoreUnavailable
from ..session import Session, SessionStore
from .access_tokens import AccessTokens
from .backchannel_logout import BackchannelLogout
from .background import Background
from .callback import Callback
from .devices import Devices
from .login import Login
from .logout import Logout
from .provider import Provider
from .refresh import Redemption
from .refresh_lock import Leases
from .session_end import Ending
from .session_events import Announcements, News

logger = logging.getLogger(__name__)

PURGE_INTERVAL = 60.0  # seconds between two clearings of what has expired


class SessionCore:
    """Logging in and out, tokens and devices; and whom to tell when a session begins or ends.

    `handle` and `look_again` are those of `Announcements`.
    """

    def __init__(
        self,
        config: AuthConfig,
        store: SessionStore,
        pool: httpx.AsyncBaseTransport,
        audit: AuditTrail,
        *,
        audiences: Collection[str],
        handle: Callable[[News, str], Awaitable[None]],
        look_again: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._store = store
        self._audit = audit
        self._background = Background()
        self._announcements = Announcements(store, handle=handle, look_again=look_again)
        provider = Provider(config, pool, clock=clock)
        leases = Leases(store)
        redemption = Redemption(
            config,
            provider,
            store,
            clock=clock,
            on_session_end=self.ended,
        )
        self.tokens = AccessTokens(
            store,
            leases,
            redemption,
            audit,
            multi_resource_refresh_tokens=config.multi_resource_refresh_tokens,
            clock=clock,
            jitter=jitter,
        )
        self.login = Login(config, provider, store, audiences=audiences, clock=clock)
        self.callback = Callback(config, provider, store, leases, clock=clock, jitter=jitter)
        self.logout = Logout(config, provider, store)
        self.backchannel_logout = BackchannelLogout(provider, store, on_session_end=self.ended)
        self.devices = Devices(store, on_session_end=self._ended_elsewhere)

    async def begun(self, ref: str, replaced: str | None) -> None:
        """Somebody has logged in; the other tabs of that browser go over to the new session."""
        if replaced is not None:
            await self._announcements.tell(News.REPLACED, replaced)
        await self._tell_other_devices(ref)

    async def ended(self, ref: str, session: Session, how: Ending) -> None:
        """A session is gone: its tabs are nobody's from now on."""
        kind = Kind.SESSION_REVOKED if how is Ending.REFUSED else Kind.LOGOUT
        self._audit.record(kind, Outcome.SUCCESS, how, sub=session.sub, ref=ref)
        await self._announcements.tell(News.ENDED, ref)
        await self._tell_other_devices(ref, session)

    async def changed(self, ref: str) -> None:
        """Something about the user of this session is not as it was; raises `StoreUnavailable`."""
        for each in await self.devices.references(ref):
            await self._announcements.tell(News.CHANGED, each)

    async def free_what_has_expired(self) -> None:
        """Free it in the store, and note which sessions that were; raises `StoreUnavailable`."""
        for ref, session in (await self._store.purge()).items():
            sub = session.sub if session else None
            self._audit.record(Kind.SESSION_EXPIRED, Outcome.SUCCESS, "expired", sub=sub, ref=ref)

    def start(self) -> None:
        """Begin what goes on while the app runs."""
        self._background.start(self._announcements.listen())
        self._background.start(self._keep_freeing())

    async def stop(self) -> None:
        """End it."""
        await self._background.stop()
        await self._audit.stop()

    async def _ended_elsewhere(self, ref: str, session: Session, how: Ending) -> None:
        """Its tabs first; the provider, which may be slow to forget the tokens, afterwards."""
        await self.ended(ref, session, how)
        self._background.start(self.logout.revoke(session))

    async def _tell_other_devices(self, ref: str, ended: Session | None = None) -> None:
        """The user's list of devices is another one now; only for showing, so no error."""
        try:
            for other in await self.devices.references(ref, ended):
                if other != ref:
                    await self._announcements.tell(News.CHANGED, other)
        except StoreUnavailable as error:
            logger.warning("A user's other devices were not told: %s", error.code)

    async def _keep_freeing(self) -> None:
        while True:
            try:
                await self.free_what_has_expired()
            except StoreUnavailable as error:
                logger.warning("Expired sessions were not freed: %s", error.code)
            await asyncio.sleep(PURGE_INTERVAL)
