"""node-oidc-provider does what a certified provider should."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from joserfc.jwk import KeySet, RSAKey

from . import oidc_provider
from .logout_receiver import LogoutReceiver
from .oidc_provider import KEY_CLIENT_ID, USER, OidcProvider, Switches
from .provider_process import ClientURLs
from .relying_party import Attempt, KeyRelyingParty, RelyingParty, header_of
from .user_agent import UserAgent

pytestmark = pytest.mark.skipif(
    not oidc_provider.is_available(), reason=oidc_provider.why_not() or ""
)

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture(scope="module")
def key() -> RSAKey:
    """Of the client that has no secret."""
    return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)


@pytest.fixture(scope="module")
def provider(
    tmp_path_factory: pytest.TempPathFactory, urls: ClientURLs, key: RSAKey
) -> Iterator[OidcProvider]:
    switches = Switches(key_client_jwks=dict(KeySet([key]).as_dict(private=False)))
    with OidcProvider(tmp_path_factory.mktemp("oidc_provider"), urls, switches) as provider:
        yield provider


@pytest.fixture
def client(provider: OidcProvider, urls: ClientURLs) -> Iterator[RelyingParty]:
    with closing(RelyingParty(provider, urls)) as client:
        yield client


def test_it_announces_what_it_can(client: RelyingParty) -> None:
    metadata = client.metadata
    assert metadata["issuer"] == client.issuer
    assert metadata["id_token_signing_alg_values_supported"] == ["RS256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert metadata["backchannel_logout_supported"] is True
    assert "require_pushed_authorization_requests" not in metadata


def test_a_login_leaves_the_profile_to_user_info(
    provider: OidcProvider, client: RelyingParty, agent: UserAgent
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.authorization_url(attempt, audience="https://api.test"))
    assert page.parameters()["iss"] == client.issuer
    tokens = client.redeem(page, attempt)
    claims = client.claims(tokens["id_token"])
    assert (claims["sub"], claims["nonce"]) == (USER, attempt.nonce)
    assert not {"name", "email"} & set(claims)
    profile = client.user_info(tokens["access_token"]).json()
    assert (profile["sub"], profile["name"]) == (USER, f"User {USER}")


def test_an_old_refresh_token_ends_all_that_came_from_it(
    provider: OidcProvider, client: RelyingParty, agent: UserAgent
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.authorization_url(attempt))
    old = client.redeem(page, attempt)["refresh_token"]
    new = client.refresh(old).json()["refresh_token"]
    for refresh_token in (old, new):
        answer = client.refresh(refresh_token)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_revoked_refresh_token_is_refused(
    provider: OidcProvider, client: RelyingParty, agent: UserAgent
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.authorization_url(attempt))
    refresh_token = client.redeem(page, attempt)["refresh_token"]
    assert client.revoke(refresh_token).status_code == 200
    assert client.refresh(refresh_token).json()["error"] == "invalid_grant"


def test_another_verifier_is_refused(
    provider: OidcProvider, client: RelyingParty, agent: UserAgent
) -> None:
    page = provider.log_in(agent, client.authorization_url(Attempt()))
    answer = client.exchange(page.parameters()["code"], Attempt().code_verifier)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_logging_out_reaches_the_client_twice(
    provider: OidcProvider, client: RelyingParty, agent: UserAgent, receiver: LogoutReceiver
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.authorization_url(attempt))
    tokens = client.redeem(page, attempt)
    end = provider.log_out(agent, client.end_session_url(tokens["id_token"], "bye"))
    assert end.parameters() == {"state": "bye"}
    logout_token = receiver.tokens.get(timeout=5)
    assert header_of(logout_token)["typ"] == "logout+jwt"
    told = client.claims(logout_token)
    assert told["sid"] == client.claims(tokens["id_token"])["sid"]
    assert told["events"] == {EVENT: {}}
    assert "nonce" not in told
    assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_pushed_request_leads_to_a_login(
    provider: OidcProvider, client: RelyingParty, agent: UserAgent
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.pushed_authorization_url(attempt))
    assert client.redeem(page, attempt)["token_type"] == "Bearer"


def test_a_client_with_a_key_logs_in(
    provider: OidcProvider, urls: ClientURLs, key: RSAKey, agent: UserAgent
) -> None:
    attempt = Attempt()
    with closing(KeyRelyingParty(provider, urls, KEY_CLIENT_ID, key)) as client:
        page = provider.log_in(agent, client.pushed_authorization_url(attempt))
        tokens = client.redeem(page, attempt)
        assert client.claims(tokens["id_token"])["aud"] == KEY_CLIENT_ID
        assert client.refresh(tokens["refresh_token"]).status_code == 200


def test_required_pushing_and_an_audience_that_counts(
    tmp_path_factory: pytest.TempPathFactory, urls: ClientURLs, agent: UserAgent
) -> None:
    switches = Switches(is_par_required=True, is_audience_honoured=True, access_token_seconds=7)
    directory = tmp_path_factory.mktemp("strict")
    with (
        OidcProvider(directory, urls, switches) as provider,
        closing(RelyingParty(provider, urls)) as client,
    ):
        assert client.metadata["require_pushed_authorization_requests"] is True
        refused = agent.visit(client.authorization_url(Attempt()))
        assert refused.parameters()["error"] == "invalid_request"
        attempt, audience = Attempt(), "https://api.example.test"
        scope = "openid offline_access read:messages"
        url = client.pushed_authorization_url(attempt, audience=audience, scope=scope)
        tokens = client.redeem(provider.log_in(agent, url), attempt)
        assert tokens["expires_in"] == 7
        claims = client.claims(tokens["access_token"])
        assert (claims["aud"], claims["scope"]) == (audience, "read:messages")
        assert client.user_info(tokens["access_token"]).status_code == 401
