"""The claims of a user: from ID tokens and UserInfo, at the login and later."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..errors import AuthError, ProviderUnavailable
from ..oidc.jwt import Claims, JwtError, unverified_claims
from ..oidc.userinfo import UserInfoRefusedError, is_complete, userinfo
from ..session import AccessToken, Session
from .provider import Provider

logger = logging.getLogger(__name__)

# Claims about the token, not about the user. All others become the app's `user`.
PROTOCOL_CLAIMS = frozenset(
    {"iss", "aud", "exp", "iat", "nbf", "nonce", "azp", "at_hash", "c_hash", "s_hash"}
    | {"auth_time", "acr", "amr", "sid", "jti", "typ", "session_expiry"}
    # Claims of other issuers (section 5.6.2): they are unverified and may hold access tokens.
    | {"_claim_names", "_claim_sources"}
)


@dataclass(frozen=True, slots=True)
class ProviderClaims:
    """What the provider says about a user. `from_userinfo` names the claims that UserInfo sent and
    no later ID token."""

    claims: Mapping[str, Any]
    from_userinfo: frozenset[str] = frozenset()

    @classmethod
    def of(cls, session: Session) -> ProviderClaims:
        """Return the claims of a session, before any hook changed them."""
        claims = session.user if session.provider_claims is None else session.provider_claims
        if session.userinfo_claims is None:
            return cls(claims, frozenset(claims) - frozenset(_of_id_token(session)))
        return cls(claims, frozenset(session.userinfo_claims))

    def with_userinfo(self, claims: Claims) -> ProviderClaims:
        """Replace what UserInfo sent before. Its answer is newer than the earlier ID token."""
        new = _about_user(claims)
        kept = {n: value for n, value in self.claims.items() if n not in self.from_userinfo}
        return ProviderClaims({**kept, **new}, frozenset(new) - {"sub"})

    def with_id_token(self, claims: Claims) -> ProviderClaims:
        """Replace what the earlier ID token said. A claim that the new one lacks is withdrawn,
        unless it is UserInfo's."""
        new = _about_user(claims)
        names = self.from_userinfo - new.keys()
        return ProviderClaims({**{name: self.claims[name] for name in names}, **new}, names)

    def in_session(self, session: Session) -> Session:
        """Return the session with these claims. A hook may change them afterwards."""
        names = tuple(sorted(self.from_userinfo))
        return replace(session, user=self.claims, provider_claims=None, userinfo_claims=names)


class ClaimsSource:
    """Reads the claims of a user from the provider's responses. `clock` returns epoch seconds."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock

    async def at_login(
        self,
        provider: Provider,
        id_token: Claims,
        access_token: str,
        scope: str,
        dpop_key: str | None = None,
    ) -> ProviderClaims:
        """Return the claims of an ID token and, if it lacks what `scope` requests, of UserInfo.
        `dpop_key` is the one that the access token is bound to.

        The ID token suffices for a login: if UserInfo refuses the token or does not answer, its
        claims are left out.

        Raises:
            ProviderError: UserInfo describes another user, or its answer is malformed.
        """
        claims = ProviderClaims({})
        if not is_complete(id_token, scope):
            try:
                answer = await _userinfo(provider, access_token, id_token["sub"], dpop_key)
                claims = claims.with_userinfo(answer)
            except (UserInfoRefusedError, ProviderUnavailable) as error:
                logger.warning("[%s] A login goes on without UserInfo: %s", error.error_id, error)
        return claims.with_id_token(id_token)  # the ID token wins: it is signed

    async def at_refresh(
        self, provider: Provider, session: Session, id_token: Claims | None, token: AccessToken
    ) -> tuple[ProviderClaims | None, float | None]:
        """Return the claims after a refresh (None: nothing new is known), and the session's new
        `claims_at`. `id_token` has passed its checks, `token` is the new access token.

        Without an ID token, and if it is not complete, UserInfo is asked, at most once in
        `claims_max_age`. If that fails, its earlier claims stay.
        """
        now, scopes = self._clock(), " ".join(token.scope for token in session.access_tokens)
        claims, is_new, claims_at = ProviderClaims.of(session), False, session.claims_at
        if id_token is not None and is_complete(id_token, scopes):
            claims_at = now
        elif "openid" in token.scope.split() and _is_due(
            provider.config.claims_max_age, session, id_token, scopes, now
        ):
            try:
                answer = await _userinfo(provider, token.value, session.sub, token.dpop_key)
                claims = claims.with_userinfo(answer)
                is_new, claims_at = True, now
            except AuthError as error:
                logger.warning("[%s] UserInfo's claims stay: %s", error.error_id, error)
                if not isinstance(error, ProviderUnavailable):
                    claims_at = now  # it would fail again at the next refresh
        if id_token is not None:
            claims, is_new = claims.with_id_token(id_token), True
        return claims if is_new else None, claims_at


def _is_due(
    max_age: float, session: Session, id_token: Claims | None, scopes: str, now: float
) -> bool:
    if not max_age:
        return False
    # Some providers leave out of refreshed ID tokens what they sent at the login.
    if id_token is not None and is_complete(_of_id_token(session), scopes):
        return True
    last = session.created_at if session.claims_at is None else session.claims_at
    return now - last >= max_age


async def _userinfo(
    provider: Provider, access_token: str, sub: str, dpop_key: str | None
) -> Claims:
    """Return the claims at UserInfo; none if the provider has no such endpoint."""
    endpoint = (await provider.metadata()).userinfo_endpoint
    if endpoint is None:
        return {}
    dpop = provider.userinfo_proofs(dpop_key)
    claims = await userinfo(
        provider.client, endpoint, access_token=access_token, sub=sub, dpop=dpop
    )
    return dict(claims)


def _about_user(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name not in PROTOCOL_CLAIMS}


def _of_id_token(session: Session) -> Collection[str]:
    """The names of the claims in a session's ID token, which was checked when it was stored."""
    if session.id_token is None:
        return ()
    try:
        return unverified_claims(session.id_token).keys()
    except JwtError:
        return ()
