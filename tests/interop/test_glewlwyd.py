"""Glewlwyd logs a user in, too, and says some things in its own way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from . import glewlwyd
from .glewlwyd import Glewlwyd
from .logout_receiver import LogoutReceiver
from .provider_process import ClientURLs
from .relying_party import Attempt, RelyingParty, header_of
from .user_agent import UserAgent

pytestmark = pytest.mark.skipif(not glewlwyd.is_available(), reason=glewlwyd.why_not() or "")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory, urls: ClientURLs) -> Iterator[Glewlwyd]:
    with Glewlwyd(tmp_path_factory.mktemp("glewlwyd"), urls) as provider:
        yield provider


@pytest.fixture
def client(provider: Glewlwyd, urls: ClientURLs) -> Iterator[RelyingParty]:
    with closing(RelyingParty(provider, urls)) as client:
        yield client


def test_its_issuer_has_a_path(client: RelyingParty) -> None:
    metadata = client.metadata
    assert metadata["issuer"] == client.issuer
    assert client.issuer.endswith("/api/oidc")
    assert "RS256" in metadata["id_token_signing_alg_values_supported"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]


def test_it_sends_the_issuer_without_announcing_it(
    provider: Glewlwyd, client: RelyingParty, agent: UserAgent
) -> None:
    page = provider.log_in(agent, client.authorization_url(Attempt()))
    assert page.parameters()["iss"] == client.issuer
    assert "authorization_response_iss_parameter_supported" not in client.metadata


def test_a_login_has_the_profile_in_the_id_token(
    provider: Glewlwyd, client: RelyingParty, agent: UserAgent
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.authorization_url(attempt, audience="https://api.test"))
    tokens = client.redeem(page, attempt)
    assert tokens["token_type"] == "bearer"
    claims = client.claims(tokens["id_token"])
    assert (claims["nonce"], claims["aud"]) == (attempt.nonce, client.client_id)
    assert (claims["name"], claims["email"]) == ("Interop User", "user@example.com")
    assert client.user_info(tokens["access_token"]).json()["sub"] == claims["sub"]


def test_an_old_refresh_token_ends_all_that_came_from_it(
    provider: Glewlwyd, client: RelyingParty, agent: UserAgent
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.authorization_url(attempt))
    old = client.redeem(page, attempt)["refresh_token"]
    refreshed = client.refresh(old).json()
    assert "id_token" not in refreshed
    for refresh_token in (old, refreshed["refresh_token"]):
        answer = client.refresh(refresh_token)
        assert (answer.status_code, answer.text) == (400, "")


def test_a_revoked_refresh_token_is_refused(
    provider: Glewlwyd, client: RelyingParty, agent: UserAgent
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.authorization_url(attempt))
    refresh_token = client.redeem(page, attempt)["refresh_token"]
    assert client.revoke(refresh_token).status_code == 200
    assert client.refresh(refresh_token).status_code == 400


def test_another_verifier_is_refused(
    provider: Glewlwyd, client: RelyingParty, agent: UserAgent
) -> None:
    page = provider.log_in(agent, client.authorization_url(Attempt()))
    answer = client.exchange(page.parameters()["code"], Attempt().code_verifier)
    assert 400 <= answer.status_code < 500


def test_a_pushed_request_leads_to_a_login(
    provider: Glewlwyd, client: RelyingParty, agent: UserAgent
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.pushed_authorization_url(attempt))
    assert "refresh_token" in client.redeem(page, attempt)


def test_logging_out_reaches_the_client_twice(
    provider: Glewlwyd, client: RelyingParty, agent: UserAgent, receiver: LogoutReceiver
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.authorization_url(attempt))
    tokens = client.redeem(page, attempt)
    end = provider.log_out(agent, client.end_session_url(tokens["id_token"], "bye"))
    assert end.parameters() == {"state": "bye"}
    logout_token = receiver.tokens.get(timeout=5)
    assert header_of(logout_token)["typ"] == "JWT"
    told = client.claims(logout_token)
    assert told["sid"] == client.claims(tokens["id_token"])["sid"]
    assert "exp" not in told
    assert client.refresh(tokens["refresh_token"]).status_code == 400


def test_required_pushing(
    tmp_path_factory: pytest.TempPathFactory, urls: ClientURLs, agent: UserAgent
) -> None:
    directory = tmp_path_factory.mktemp("strict")
    with (
        Glewlwyd(directory, urls, is_par_required=True, access_token_seconds=7) as provider,
        closing(RelyingParty(provider, urls)) as client,
    ):
        assert client.metadata["require_pushed_authorization_requests"] is True
        refused = agent.visit(client.authorization_url(Attempt()))
        assert "code" not in refused.parameters()
        assert "callback_url" not in refused.parameters()
        attempt = Attempt()
        page = provider.log_in(agent, client.pushed_authorization_url(attempt))
        assert client.redeem(page, attempt)["expires_in"] == 7


def test_it_knows_everything_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory, urls: ClientURLs, agent: UserAgent
) -> None:
    directory, attempt = tmp_path_factory.mktemp("restarted"), Attempt()
    with (
        Glewlwyd(directory, urls) as provider,
        closing(RelyingParty(provider, urls)) as client,
    ):
        page = provider.log_in(agent, client.authorization_url(attempt))
        refresh_token = client.redeem(page, attempt)["refresh_token"]
        provider.stop()
        provider.start()
        assert client.refresh(refresh_token).status_code == 200
