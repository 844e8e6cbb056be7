"""New claims of a session, when its tokens are refreshed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from ..audit import AuditTrail, Kind, Outcome
from ..errors import AuthError, HookError, LoginRefused, SessionEnded
from ..oidc.jwt import Claims
from ..session import AccessToken, Session
from .claims import ClaimsSource
from .hooks import Hooks
from .provider import Provider
from .session_events import OnSessionEnd, SessionEndReason

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClaimsUpdate:
    """Brings the claims of a session up to date. `on_change` is called with the session id hash
    when they have changed by value."""

    source: ClaimsSource
    hooks: Hooks
    audit: AuditTrail
    on_change: Callable[[str], Awaitable[None]]
    end: Callable[[str], Awaitable[bool]]
    on_session_end: OnSessionEnd

    async def apply(
        self,
        provider: Provider,
        session_id_hash: str,
        session: Session,
        id_token: Claims | None,
        token: AccessToken,
    ) -> Session:
        """Return the session with the claims that a refresh brought. It is not stored yet.

        If `before_session` fails, the claims stay as they are, until the next refresh.

        Raises:
            SessionEnded: `before_session` refused the claims. The session has been deleted.
            StoreUnavailable: it could not be deleted.
        """
        claims, claims_at = await self.source.at_refresh(provider, session, id_token, token)
        if claims is None:
            return replace(session, claims_at=claims_at)
        fresh = claims.in_session(session)
        try:
            decided = await self.hooks.decide(fresh, parameters={}, is_update=True)
        except HookError as error:
            self._failed(session_id_hash, session, error)
            return replace(fresh, user=session.user, provider_claims=fresh.user)
        except LoginRefused as error:
            await self._refuse(session_id_hash, session, error)
            raise
        is_same = (decided.user, decided.data) == (session.user, session.data)
        version = session.claims_version + (not is_same)
        return replace(decided, claims_at=claims_at, claims_version=version)

    async def publish(self, session_id_hash: str, before: Session, session: Session) -> None:
        """Tell the tabs of a session that has been stored if its claims have changed."""
        if session.claims_version == before.claims_version:
            return
        self.audit.record(
            Kind.CLAIMS_UPDATED,
            Outcome.SUCCESS,
            "changed",
            sub=session.sub,
            ref=session_id_hash,
            provider=session.provider,
        )
        try:
            await self.on_change(session_id_hash)
        except Exception:  # the tabs notice at their next event
            logger.exception("A change of claims was not published.")

    def _failed(self, session_id_hash: str, session: Session, error: AuthError) -> None:
        self.audit.failed(
            Kind.CLAIMS_UPDATED,
            error,
            sub=session.sub,
            ref=session_id_hash,
            provider=session.provider,
        )

    async def _refuse(self, session_id_hash: str, session: Session, refusal: LoginRefused) -> None:
        logger.warning("[%s] before_session ended a session: %s", refusal.error_id, refusal.code)
        self._failed(session_id_hash, session, refusal)
        if await self.end(session_id_hash):
            await self.on_session_end(session_id_hash, session, SessionEndReason.HOOK)
        raise SessionEnded("The app no longer accepts this session.") from None
