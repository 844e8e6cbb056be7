"""Logs out: here first, then at the provider."""

from __future__ import annotations

import logging

from ..config import AuthConfig
from ..errors import AuthError
from ..oidc.logout import end_session_url
from ..oidc.token_endpoint import revoke
from ..session import Session, SessionStore
from .provider import Provider

logger = logging.getLogger(__name__)


class Logout:
    """Ends sessions. The session here ends even if the provider is unreachable."""

    def __init__(self, config: AuthConfig, provider: Provider, store: SessionStore) -> None:
        self._config = config
        self._provider = provider
        self._store = store

    async def end(self, session_id_hash: str | None) -> tuple[str, Session | None]:
        """Delete the session. Return the URL where logout continues, and the session.

        The URL is the provider's end-session endpoint, or the app itself if the provider has none
        or its metadata cannot be fetched.

        Raises:
            StoreUnavailable: the session could not be deleted.
        """
        # Loaded before it is deleted: its ID token names the session to the provider.
        stored = await self._store.load(session_id_hash) if session_id_hash else None
        session = stored.session if stored else None
        if session_id_hash:
            await self._store.delete(session_id_hash)
        try:
            metadata = await self._provider.metadata()
        except AuthError:
            return self._config.home_url, session
        url = end_session_url(
            metadata,
            client_id=self._config.client_id,
            post_logout_redirect_uri=self._config.home_url,
            id_token=session.id_token if session else None,
            sid=session.sid if session else None,
        )
        return url or self._config.home_url, session

    async def revoke(self, session: Session) -> None:
        """Revoke the refresh tokens at the provider. A failure is logged: the session has ended."""
        try:
            metadata = await self._provider.metadata()
            if metadata.revocation_endpoint is None:
                return
            for refresh_token in session.refresh_tokens:
                await revoke(
                    self._provider.client,
                    metadata.revocation_endpoint,
                    self._provider.authentication(metadata),
                    refresh_token=refresh_token,
                )
        except AuthError as error:
            logger.warning("[%s] Not every refresh token was revoked: %s", error.error_id, error)
