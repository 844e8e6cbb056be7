"""OpenID Connect Back-Channel Logout 1.0: tell the clients of a login that it has ended."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from .clients import Client
from .loopback_server import is_loopback
from .signing import Signer

EVENT = "http://schemas.openid.net/event/backchannel-logout"
PATIENCE = 5.0  # seconds for each client
LIFETIME = 120  # seconds, of a logout token (section 2.4)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BackchannelLogout:
    """Sends logout tokens to the registered clients, from a thread of its own."""

    issuer: str
    clients: Mapping[str, Client]
    signer: Signer
    clock: Callable[[], float]

    def tell(self, sid: str, user_id: str, client_ids: Sequence[str]) -> None:
        """Send each client of a login its logout tokens (section 2.5). It does not wait."""
        notices = [
            (url, self._logout_token(client_id, user_id, sid))
            for client_id in client_ids
            if (client := self.clients.get(client_id)) is not None
            for url in client.backchannel_logout_uris
        ]
        if notices:
            threading.Thread(
                target=_send, args=(notices,), name="back-channel logout", daemon=True
            ).start()

    def _logout_token(self, client_id: str, user_id: str, sid: str) -> str:
        now = int(self.clock())
        claims = {
            "iss": self.issuer,
            "aud": client_id,
            "sub": user_id,
            "sid": sid,
            "iat": now,
            "exp": now + LIFETIME,
            "jti": secrets.token_urlsafe(16),
            "events": {EVENT: {}},
        }
        return self.signer.signed(claims, typ="logout+jwt")


def _send(notices: Sequence[tuple[str, str]]) -> None:
    import httpx  # here: at the start of the tenant it would cost a tenth of a second

    with httpx.Client(timeout=PATIENCE, trust_env=False, follow_redirects=False) as client:
        for url, token in notices:
            # A development tool sends nothing to other machines.
            if not is_loopback(urlsplit(url).hostname or ""):
                logger.warning("No back-channel logout to %s: it is not a loopback address.", url)
                continue
            try:
                response = client.post(url, data={"logout_token": token})
            except httpx.HTTPError as error:
                logger.warning("Back-channel logout to %s failed: %s", url, error)
                continue
            if response.is_error:
                logger.warning(
                    "Back-channel logout to %s was answered %s.", url, response.status_code
                )
