"""The recent activity of a user: entries of the audit trail about their own logins."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

from ..audit import AuditEvent, Kind, Outcome, session_name
from ..errors import StoreUnavailable
from ..session import Activity, SessionStore
from .provider import Providers

logger = logging.getLogger(__name__)

KINDS = frozenset({Kind.LOGIN_COMPLETED, Kind.LOGOUT, Kind.SESSION_EXPIRED, Kind.SESSION_REVOKED})
"""The kinds of audit events that are kept. A failed login is of no known user."""


class RecentActivity:
    """Keeps those events in the session store, so that every process shows the same, also after a
    restart. They are an audit hook for `KINDS`, and need no hook of the app."""

    def __init__(self, store: SessionStore, providers: Providers) -> None:
        self._store = store
        self._providers = providers

    async def keep(self, event: AuditEvent) -> None:
        """Keep an event of a user. Only for display: a failure of the store is logged."""
        provider = self._providers.named(event.provider or "")
        if event.sub is None or event.outcome is not Outcome.SUCCESS or provider is None:
            return
        entry = Activity(
            event.kind.value,
            event.reason,
            event.time,
            browser=event.browser or "",
            platform=event.platform or "",
            address=event.address or "",
            session=event.session or "",
        )
        user = _user(provider.config.issuer, provider.name, event.sub)
        try:
            await self._store.add_activity(user, entry)
        except StoreUnavailable as error:
            logger.warning("An entry of a user's recent activity is lost: %s", error.code)

    async def of(self, session_id_hash: str, limit: int) -> list[Activity]:
        """Return at most `limit` entries of this session's user, the latest first. Empty without a
        session. Raises `StoreUnavailable`."""
        stored = await self._store.load(session_id_hash)
        provider = self._providers.of_session(stored.session) if stored else None
        if stored is None or provider is None:
            return []
        user = _user(provider.config.issuer, provider.name, stored.session.sub)
        current = session_name(session_id_hash)
        found = (await self._store.activity(user))[: max(0, limit)]
        return [replace(each, is_current=each.session == current) for each in found]


def _user(issuer: str, provider: str, sub: str) -> str:
    """Whose activity it is. A `sub` is unique at its issuer only (OpenID Connect Core section 5.7),
    and a provider's name may come to stand for another issuer."""
    return json.dumps([issuer, provider, sub])
