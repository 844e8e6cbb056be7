"""The flows put together around one store. No web framework is needed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ..audit import AuditTrail, Kind, Outcome
from ..config import AuthConfig
from ..errors import HookError, StoreUnavailable
from ..session import Session, SessionStore, hash_session_id
from .access_tokens import AccessTokens
from .backchannel_logout import BackchannelLogout
from .background import Background
from .callback import Callback, CompletedLogin
from .claims import ClaimsSource
from .claims_update import ClaimsUpdate
from .devices import Devices
from .ended_elsewhere import was_ended_from_elsewhere
from .hooks import Hooks
from .kept_events import KeptEvents
from .login import Login
from .logout import Logout
from .offline_access import OfflineAccess
from .provider import Providers
from .recent_activity import RecentActivity
from .refresh import Refresher, RefreshLocks
from .session_events import SessionEndReason, SessionEvent, SessionEventKind, SessionEvents
from .token_exchange import TokenExchange

logger = logging.getLogger(__name__)

PURGE_INTERVAL = 60.0  # seconds between two purges of expired sessions


class SessionManager:
    """Login, logout, tokens and devices; publishes an event when a session begins or ends.

    `handle` and `look_again` are those of `SessionEvents`.
    """

    def __init__(
        self,
        config: AuthConfig,
        providers: Providers,
        store: SessionStore,
        audit: AuditTrail,
        recent_activity: RecentActivity,
        *,
        hooks: Hooks,
        handle: Callable[[SessionEvent], Awaitable[None]],
        look_again: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._providers = providers
        self._store = store
        self._audit = audit
        self.recent_activity = recent_activity
        self._hooks = hooks
        self._background = Background()
        self._events = SessionEvents(store, handle=handle, look_again=look_again)
        refresh_locks = RefreshLocks(store)
        refresher = Refresher(store, clock=clock, on_session_end=self.ended)
        claims = ClaimsSource(clock=clock)
        self.tokens = AccessTokens(
            store,
            refresh_locks,
            refresher,
            ClaimsUpdate(
                claims, hooks, audit, self._claims_changed, store.delete, self._ended_elsewhere
            ),
            audit,
            providers,
            on_refresh=self._tokens_renewed,
            clock=clock,
            jitter=jitter,
        )
        self.exchange = TokenExchange(
            store,
            refresh_locks,
            refresher,
            self.tokens,
            providers,
            audit,
            clock=clock,
            jitter=jitter,
        )
        self.kept_events = KeptEvents(store, clock=clock)
        self.login = Login(providers, store, clock=clock)
        self.callback = Callback(
            providers,
            store,
            refresh_locks,
            claims,
            hooks,
            on_session_end=self._ended_elsewhere,
            clock=clock,
            jitter=jitter,
        )
        self.logout = Logout(config, providers, store, clock=clock)
        self.backchannel_logout = BackchannelLogout(providers, store, on_session_end=self.ended)
        self.devices = Devices(store, on_session_end=self._ended_elsewhere)

    def offline_access(
        self, sub: str, device_id: str | None, provider: str | None = None
    ) -> OfflineAccess:
        """Return what gets access tokens for a job. Raises `ValueError` if `sub` is empty, or if
        there are several providers and `provider` names none of them."""
        name = self._providers.default.name if provider is None else provider
        if (provider is None and not self._providers.is_single) or not self._providers.named(name):
            raise ValueError("`provider` names none of the providers: a `sub` is of one of them.")
        return OfflineAccess(
            self._store, self.tokens, self._audit, sub=sub, provider=name, device_id=device_id
        )

    async def begun(self, login: CompletedLogin, browser: str | None) -> None:
        """A user has logged in; the other tabs of that browser (the hash of its cookie) follow."""
        new = hash_session_id(login.session_id)
        if login.replaced is not None:
            kind = SessionEventKind.RENEWED if login.is_renewed else SessionEventKind.REPLACED
            await self._events.publish(kind, login.replaced)
        if browser is not None:
            await self._events.publish(SessionEventKind.SIGNED_IN, f"{browser}.{new}")
        await self._tell_other_devices(new)

    async def ended(self, session_id_hash: str, session: Session, reason: SessionEndReason) -> None:
        """Record and publish that a session has been deleted, so that its tabs sign out."""
        is_revoked = reason in (SessionEndReason.REFUSED, SessionEndReason.HOOK)
        kind = Kind.SESSION_REVOKED if is_revoked else Kind.LOGOUT
        self._audit.record(
            kind,
            Outcome.SUCCESS,
            reason,
            sub=session.sub,
            ref=session_id_hash,
            provider=session.provider,
            client=session.client,
        )
        await self._events.publish(SessionEventKind.ENDED, session_id_hash)
        await self._tell_other_devices(session_id_hash, session)

    async def changed(self, session_id_hash: str) -> None:
        """Publish that the user of this session has changed. Raises `StoreUnavailable`."""
        for each in await self.devices.references(session_id_hash):
            await self._events.publish(SessionEventKind.CHANGED, each)

    async def before_logout(self, session_id_hash: str | None) -> HookError | None:
        """Run the app's hook before a logout. Return its failure, which keeps no session alive.
        Raises `StoreUnavailable`."""
        stored = await self._store.load(session_id_hash) if session_id_hash else None
        if stored is None or session_id_hash is None:
            return None
        try:
            await self._hooks.logging_out(session_id_hash, stored.session)
        except HookError as error:
            self._audit.failed(
                Kind.LOGOUT,
                error,
                sub=stored.session.sub,
                ref=session_id_hash,
                provider=stored.session.provider,
            )
            return error
        return None

    async def takes_password(self, session_id_hash: str | None) -> bool:
        """Whether the next login of the browser with this cookie has to ask for the password: its
        session was ended from elsewhere. Raises `StoreUnavailable`."""
        return session_id_hash is not None and await was_ended_from_elsewhere(
            self._store, session_id_hash
        )

    async def free_what_has_expired(self) -> None:
        """Purge the store; publish and record each expired session. Raises `StoreUnavailable`."""
        for session_id_hash, session in (await self._store.purge()).items():
            await self._events.publish(SessionEventKind.ENDED, session_id_hash)
            self._audit.record(
                Kind.SESSION_EXPIRED,
                Outcome.SUCCESS,
                "expired",
                sub=session.sub if session else None,
                ref=session_id_hash,
                provider=session.provider if session else None,
                client=session.client if session else ("", "", ""),
            )

    def start(self) -> None:
        """Start to listen for session events, and to purge expired sessions."""
        self._background.start(self._events.listen())
        self._background.start(self._keep_freeing())

    async def stop(self) -> None:
        """Stop both, and wait for refreshes under way and for the audit hooks."""
        await self._background.stop()
        await self.tokens.stop()
        await self._audit.stop()

    async def _claims_changed(self, session_id_hash: str) -> None:
        await self._events.publish(SessionEventKind.CLAIMS_CHANGED, session_id_hash)

    async def _tokens_renewed(self, session_id_hash: str) -> None:
        await self._events.publish(SessionEventKind.TOKENS_RENEWED, session_id_hash)

    async def _ended_elsewhere(
        self, session_id_hash: str, session: Session, how: SessionEndReason
    ) -> None:
        """Sign the tabs out first: the provider may be slow to revoke the tokens."""
        await self.ended(session_id_hash, session, how)
        self._background.start(self.logout.revoke(session))

    async def _tell_other_devices(self, session_id_hash: str, ended: Session | None = None) -> None:
        """Publish that the user's devices have changed. Only for display: a failure is logged."""
        try:
            for other in await self.devices.references(session_id_hash, ended):
                if other != session_id_hash:
                    await self._events.publish(SessionEventKind.CHANGED, other)
        except StoreUnavailable as error:
            logger.warning("A user's other devices were not notified: %s", error.code)

    async def _keep_freeing(self) -> None:
        while True:
            try:
                await self.free_what_has_expired()
            except StoreUnavailable as error:
                logger.warning("Expired sessions were not purged: %s", error.code)
            except Exception:  # one failure must not end the purges
                logger.exception("Expired sessions were not purged.")
            await asyncio.sleep(PURGE_INTERVAL)
