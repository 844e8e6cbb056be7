"""Logs out: here first, then at the provider."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ..config import AuthConfig
from ..errors import AuthError, StoreUnavailable
from ..oidc.logout import end_session_url
from ..oidc.token_endpoint import revoke
from ..session import Session, SessionStore
from .login_link import DEFAULT_RETURN_TO, safe_return_to
from .provider import Provider, Providers
from .transactions import Transactions

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LogoutOptions:
    """What a logout form asks for.

    `return_to` is where the browser goes afterwards: a path of this app, or one of the absolute
    URLs in `AuthConfig.logout_urls`. With `is_local`, the session here ends and the one at the
    provider stays. With `is_federated`, Auth0 ends the session at the identity provider behind it,
    too.
    """

    return_to: str = DEFAULT_RETURN_TO
    is_federated: bool = False
    is_local: bool = False

    @classmethod
    def parse(cls, fields: Mapping[str, str], logout_urls: Collection[str]) -> LogoutOptions:
        """Read the fields of a form or a query, which anybody may have written: a `return_to` that
        is not allowed becomes "/", and a switch that is neither "1" nor "true" is off."""
        return cls(
            safe_logout_target(fields.get("return_to"), logout_urls),
            fields.get("federated") in _ON,
            fields.get("local") in _ON,
        )

    def fields(self) -> dict[str, str]:
        """Return the fields that `parse` reads, without those that have their default."""
        switches = {"federated": self.is_federated, "local": self.is_local}
        fields = {name: "1" for name, is_on in switches.items() if is_on}
        if self.return_to != DEFAULT_RETURN_TO:
            fields["return_to"] = self.return_to
        return fields


_ON = ("1", "true")
DEFAULT_OPTIONS = LogoutOptions()


def safe_logout_target(text: str | None, logout_urls: Collection[str]) -> str:
    """Return `text` if it is one of `logout_urls` or a page of this app (`safe_return_to`); else
    "/"."""
    return text if text is not None and text in logout_urls else safe_return_to(text)


class Logout:
    """Ends sessions. The session here ends even if the provider is unreachable.

    The provider returns only to registered URIs. So that one of them serves every `return_to`, it
    returns to `AuthConfig.post_logout_redirect_uri`, and what follows is kept here by browser.
    """

    def __init__(
        self,
        config: AuthConfig,
        providers: Providers,
        store: SessionStore,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._config = config
        self._providers = providers
        self._store = store
        self._transactions = Transactions(store)
        self._clock = clock

    async def end(
        self,
        session_id_hash: str | None,
        options: LogoutOptions = DEFAULT_OPTIONS,
        *,
        browser: str | None = None,
        host: str | None = None,
    ) -> tuple[str, Session | None]:
        """Delete the session. Return the URL where logout continues, and the session.

        The URL is the provider's end-session endpoint; or that of `options.return_to` if the logout
        is local, or the provider has no such endpoint, or its metadata cannot be fetched, or there
        is no session that says which of several providers it is. `browser` is the value of the
        browser's login cookie, which `returned` needs, and `host` the `Host` header.

        Raises:
            StoreUnavailable: the session could not be deleted.
        """
        # Loaded before it is deleted: its ID token names the session to the provider.
        stored = await self._store.load(session_id_hash) if session_id_hash else None
        session = stored.session if stored else None
        if session_id_hash:
            await self._store.delete(session_id_hash)
        app = self._config.at_host(host)
        provider = None if options.is_local else self._provider_of(session)
        url = provider and await self._end_session_url(app, provider, session, options, browser)
        return url or self._url(app, options.return_to), session

    def _provider_of(self, session: Session | None) -> Provider | None:
        if session is not None:
            return self._providers.of_session(session)
        return self._providers.default if self._providers.is_single else None

    async def returned(self, browser: str | None, host: str | None = None) -> str:
        """Return the URL to go to after the provider's logout of this browser: the start page if
        it has begun none in the last minutes, or the store cannot be used."""
        return_to = None
        if browser is not None:
            with contextlib.suppress(StoreUnavailable):
                return_to = await self._transactions.take_logout(browser)
        return self._url(self._config.at_host(host), return_to)

    def _url(self, app: AuthConfig, return_to: str | None) -> str:
        target = safe_logout_target(return_to, app.logout_urls)
        if target == DEFAULT_RETURN_TO:
            return app.home_url
        return f"{app.app_base_url}{target}" if target.startswith("/") else target

    async def _end_session_url(
        self,
        app: AuthConfig,
        provider: Provider,
        session: Session | None,
        options: LogoutOptions,
        browser: str | None,
    ) -> str | None:
        try:
            metadata = await provider.metadata()
        except AuthError:
            return None
        return end_session_url(
            metadata,
            client_id=provider.config.client_id,
            post_logout_redirect_uri=await self._redirect_uri(
                app,
                # A client without a session could store as much as it likes.
                options.return_to,
                browser if session else None,
            ),
            id_token=session.id_token if session else None,
            sid=session.sid if session else None,
            is_federated=options.is_federated,
        )

    async def _redirect_uri(self, app: AuthConfig, return_to: str, browser: str | None) -> str:
        """The start page needs no other URI than the one that every app has registered."""
        if return_to == DEFAULT_RETURN_TO or browser is None:
            return app.home_url
        try:
            await self._transactions.open_logout(browser, return_to, self._clock())
        except StoreUnavailable as error:
            logger.warning("A logout ends on the start page: %s", error.code)
            return app.home_url
        return app.post_logout_redirect_uri

    async def revoke(self, session: Session) -> None:
        """Revoke the refresh tokens at the provider. A failure is logged: the session has ended."""
        provider = self._providers.of_session(session)
        if provider is None:
            return
        try:
            metadata = await provider.metadata()
            if metadata.revocation_endpoint is None:
                return
            for refresh_token in session.refresh_tokens:
                await revoke(
                    provider.client,
                    metadata.revocation_endpoint,
                    provider.authentication(metadata),
                    refresh_token=refresh_token,
                )
        except AuthError as error:
            logger.warning("[%s] Not every refresh token was revoked: %s", error.error_id, error)
