"""The token responses (RFC 6749 section 5.1), and the claims of the access tokens in them."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from . import codes
from .apis import Apis
from .clients import Client
from .database import Database
from .dpop import REFRESH_TOKEN, DPoP, confirmation
from .faults import Faults
from .login_rules import organization_claims
from .settings import TenantSettings
from .signing import Signer


@dataclass(frozen=True)
class TokenIssuer:
    """Issues the tokens of one tenant."""

    settings: TenantSettings
    database: Database
    clock: Callable[[], float]
    clients: Mapping[str, Client]
    apis: Apis
    faults: Faults
    signer: Signer
    dpop: DPoP

    def issue(
        self,
        grant: codes.Grant,
        scope: str,
        *,
        audience: str | None = None,
        dpop_jkt: str | None = None,
        further: Mapping[str, Any] = MappingProxyType({}),
        ends_by: float = math.inf,
    ) -> dict[str, Any]:
        """The token response (RFC 6749 section 5.1) for what the user has granted.

        `audience` is that of the access token, if it is not the grant's. The token is bound to the
        key `dpop_jkt`, and so is the refresh token of a public client. `further` are claims of the
        access token, which expires at `ends_by` (epoch seconds) at the latest.
        """
        audiences = [audience or grant.audience]
        now = int(self.clock())
        lifetime = int(min(self.apis.token_lifetime(audiences[0]), ends_by - now))
        scope, permissions = self.apis.authorized(audiences[0], scope, grant.user_id)
        given = self.faults.audiences(audiences)
        if "openid" in scope.split() and self.settings.userinfo_audience not in audiences:
            audiences.append(self.settings.userinfo_audience)
        claims = {
            "iss": self.settings.issuer,
            "sub": grant.user_id,
            "aud": given if len(given) > 1 else given[0],
            "iat": now,
            "exp": now + lifetime,
            "scope": scope,
            **permissions,
            **further,
            **organization_claims(self.database, grant.family),
            **confirmation(dpop_jkt),
        }
        client = self.clients.get(grant.client_id)
        if client is not None and client.is_public:
            self.dpop.bind(grant.family, REFRESH_TOKEN, dpop_jkt)
        token = self._token(claims, grant.client_id, audiences[0])
        codes.save_access_token(
            self.database, token["access_token"], grant, now, float(now + lifetime)
        )
        if "offline_access" in grant.scope.split():
            token["refresh_token"] = secrets.token_urlsafe(48)
        return token

    def issue_for_client(
        self, client: Client, audience: str, scope: str, *, dpop_jkt: str | None = None
    ) -> dict[str, Any]:
        """The token response for an application that acts for itself (RFC 6749 section 4.4.3)."""
        now, lifetime = int(self.clock()), self.apis.token_lifetime(audience)
        claims = {
            "iss": self.settings.issuer,
            "sub": f"{client.client_id}@clients",
            "aud": audience,
            "iat": now,
            "exp": now + lifetime,
            "scope": scope,
            "gty": "client-credentials",
            **confirmation(dpop_jkt),
        }
        return self._token(claims, client.client_id, audience)

    def _token(self, claims: dict[str, Any], client_id: str, audience: str) -> dict[str, Any]:
        """The token response, with the claims of the API's profile: Auth0's or RFC 9068's."""
        typ = self.apis.token_type(audience)
        of_profile = {"azp": client_id}
        if typ == "at+jwt":
            of_profile = {"client_id": client_id, "jti": secrets.token_urlsafe(16)}
        return {
            "access_token": self.signer.signed({**claims, **of_profile}, typ=typ),
            "token_type": "DPoP" if "cnf" in claims else "Bearer",
            "expires_in": claims["exp"] - claims["iat"],
            "scope": claims["scope"],
        }
