"""Logging out from here, and what the provider is told (RP-Initiated Logout 1.0, RFC 7009)."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from .http_server import Answer
from .provider import HostileProvider
from .relying_party import APP, RelyingParty


@pytest.mark.parametrize(
    "name",
    [
        "oidcc-client-test-rp-init-logout",
        "oidcc-client-test-rp-backchannel-rpinitlogout",
    ],
)
async def test_at_the_provider(party: RelyingParty, provider: HostileProvider, name: str) -> None:
    """The session ends here, its refresh token there, and the browser goes to end that session,
    which its ID token names."""
    session = (await party.log_in()).session
    assert session is not None
    url = await party.log_out()
    assert await party.session() is None
    assert url.startswith(provider.url("/logout?"))
    assert parse_qs(urlsplit(url).query) == {
        "client_id": ["rp"],
        "post_logout_redirect_uri": [APP],
        "id_token_hint": [session.id_token],
    }
    (revoked,) = provider.asked("/revoke")
    assert revoked.form["token"] == list(session.refresh_tokens)


async def test_auth0(party: RelyingParty, provider: HostileProvider) -> None:
    """Auth0's own endpoint is told the session's id: no token in any URL."""
    endpoint = provider.url("/oidc/logout")
    provider.bend.discovery = lambda old: {**old, "end_session_endpoint": endpoint}
    assert (await party.log_in()).code is None
    query = parse_qs(urlsplit(await party.log_out()).query)
    assert query["logout_hint"] == [provider.sids[-1]]
    assert "id_token_hint" not in query


async def test_no_endpoint(party: RelyingParty, provider: HostileProvider) -> None:
    """Without an end-session endpoint it is Auth0's older one."""
    provider.bend.discovery = lambda old: {**old, "end_session_endpoint": None}
    await party.log_in()
    url = await party.log_out()
    assert url.startswith(provider.url("/v2/logout?"))
    assert parse_qs(urlsplit(url).query) == {"client_id": ["rp"], "returnTo": [APP]}


async def test_long_id_token(party: RelyingParty, provider: HostileProvider) -> None:
    """An ID token that makes the URL too long for a server is left out."""
    provider.bend.claims = lambda old: {**old, "groups": ["x" * 20] * 400}
    assert (await party.log_in()).code is None
    assert "id_token_hint" not in parse_qs(urlsplit(await party.log_out()).query)


@pytest.mark.parametrize(
    "answer", [Answer(503), Answer(400), Answer(is_cut=True), Answer.redirect("https://x.example")]
)
async def test_revocation_fails(
    party: RelyingParty, provider: HostileProvider, answer: Answer
) -> None:
    """The session ends even if the provider does not revoke the refresh token."""
    await party.log_in()
    provider.bend.revocation = lambda: answer
    await party.log_out()
    assert await party.session() is None


async def test_request_of_another_site(party: RelyingParty) -> None:
    """Neither another site's form nor a link logs a user out."""
    await party.log_in()
    for request in (
        party.browser.post(f"{APP}/auth/logout", headers={"Origin": "https://evil.example"}),
        party.browser.post(f"{APP}/auth/logout", headers={"Origin": "null"}),
        party.browser.post(f"{APP}/auth/logout", headers={"Sec-Fetch-Site": "cross-site"}),
        party.browser.get(f"{APP}/auth/logout"),
    ):
        response: httpx.Response = await request
        assert response.status_code in (200, 403)
        assert await party.session() is not None
