"""Access tokens for a job that acts for a user when no tab is open.

This is what OpenID Connect Core section 11 calls offline access. The grant is the refresh token of
one of the user's sessions.
"""

from __future__ import annotations

from ..audit import AuditTrail, Kind, Outcome
from ..errors import AuthError, LoginRequired
from ..session import Session, SessionStore
from .access_tokens import AccessTokens, TokenRequest
from .devices import public_id


class OfflineAccess:
    """Gets access tokens of one user, from a session that has a refresh token.

    Of several, it is the one used last, and first of those that already have a token for the wanted
    audience and scope. With `device_id`, it is that session only. `session_id_hash` is that of the
    session chosen last.
    """

    def __init__(
        self,
        store: SessionStore,
        tokens: AccessTokens,
        audit: AuditTrail,
        *,
        sub: str,
        provider: str,
        device_id: str | None,
    ) -> None:
        """`provider` is the name of the user's provider. Raises `ValueError` if `sub` is empty."""
        if not sub:
            raise ValueError("An access token is for one user: `sub` is empty.")
        self._store = store
        self._tokens = tokens
        self._audit = audit
        self._provider = provider
        self._device_id = device_id
        self.sub = sub
        self.session_id_hash: str | None = None

    async def access_token(self, wanted: TokenRequest) -> str:
        """Return an access token. The audit trail has each session that is chosen, and failures.

        Raises:
            LoginRequired: the user has no such session.
            ConsentRequired, SessionEnded, ProviderError, StoreUnavailable: as `AccessTokens.get`.
        """
        target, chosen = wanted.audience or None, None
        try:
            chosen, session = await self._choose(wanted)
            target = target or self._tokens.default_audience(session) or None
            if chosen != self.session_id_hash:
                self.session_id_hash = chosen
                self._audit.record(
                    Kind.OFFLINE_ACCESS,
                    Outcome.SUCCESS,
                    "session_chosen",
                    sub=self.sub,
                    ref=chosen,
                    target=target,
                    provider=self._provider,
                )
            return await self._tokens.get(chosen, wanted)
        except AuthError as error:
            kind = Kind.OFFLINE_ACCESS
            self._audit.failed(
                kind, error, sub=self.sub, ref=chosen, target=target, provider=self._provider
            )
            raise

    async def _choose(self, wanted: TokenRequest) -> tuple[str, Session]:
        found = await self._store.find(sub=self.sub)
        usable = {
            key: (
                each.session.covering(
                    wanted.audience or self._tokens.default_audience(each.session), wanted.scope
                )
                is not None,
                each.last_seen_at,
            )
            for key, each in found.items()
            if each.session.provider == self._provider
            and self._tokens.has_provider_of(each.session)
            and each.session.refresh_tokens
            and self._device_id in (None, public_id(key))
        }
        if not usable:
            raise LoginRequired("The user has no session with a refresh token.")
        chosen = max(usable, key=lambda key: (*usable[key], key))
        return chosen, found[chosen].session
