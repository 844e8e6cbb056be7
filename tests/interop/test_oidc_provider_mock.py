"""oidc-provider-mock logs a user in, and does without what is optional."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from . import oidc_provider_mock
from .oidc_provider_mock import USER, OidcProviderMock
from .provider_process import ClientURLs
from .relying_party import Attempt, RelyingParty, header_of
from .user_agent import UserAgent

pytestmark = pytest.mark.skipif(
    not oidc_provider_mock.is_available(), reason=oidc_provider_mock.why_not() or ""
)


@pytest.fixture(scope="module")
def provider(
    tmp_path_factory: pytest.TempPathFactory, urls: ClientURLs
) -> Iterator[OidcProviderMock]:
    with OidcProviderMock(tmp_path_factory.mktemp("oidc_provider_mock"), urls) as provider:
        yield provider


@pytest.fixture
def client(provider: OidcProviderMock, urls: ClientURLs) -> Iterator[RelyingParty]:
    with closing(RelyingParty(provider, urls)) as client:
        yield client


def test_it_announces_little(client: RelyingParty) -> None:
    metadata = client.metadata
    assert metadata["issuer"] == client.issuer
    assert metadata["id_token_signing_alg_values_supported"] == ["RS256"]
    for name in ("revocation_endpoint", "pushed_authorization_request_endpoint"):
        assert name not in metadata
    assert "code_challenge_methods_supported" not in metadata


def test_a_login_has_a_list_as_audience_and_a_key_without_a_name(
    provider: OidcProviderMock, client: RelyingParty, agent: UserAgent
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.authorization_url(attempt, audience="https://api.test"))
    assert "iss" not in page.parameters()
    tokens = client.redeem(page, attempt)
    assert "kid" not in header_of(tokens["id_token"])
    claims = client.claims(tokens["id_token"])
    assert (claims["sub"], claims["email"], claims["nonce"]) == (USER, USER, attempt.nonce)
    assert claims["aud"] == [client.client_id]
    assert client.user_info(tokens["access_token"]).json() == {"sub": USER, "email": USER}


def test_a_refresh_token_stays_good(
    provider: OidcProviderMock, client: RelyingParty, agent: UserAgent
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.authorization_url(attempt))
    refresh_token = client.redeem(page, attempt)["refresh_token"]
    for _ in range(2):
        answer = client.refresh(refresh_token)
        assert answer.status_code == 200
        assert not {"refresh_token", "id_token"} & set(answer.json())


def test_all_tokens_of_a_user_can_be_revoked_from_outside(
    provider: OidcProviderMock, client: RelyingParty, agent: UserAgent
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.authorization_url(attempt))
    refresh_token = client.redeem(page, attempt)["refresh_token"]
    provider.revoke_tokens()
    answer = client.refresh(refresh_token)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_logging_out_leads_back(
    provider: OidcProviderMock, client: RelyingParty, agent: UserAgent
) -> None:
    attempt = Attempt()
    page = provider.log_in(agent, client.authorization_url(attempt))
    id_token = client.redeem(page, attempt)["id_token"]
    end = provider.log_out(agent, client.end_session_url(id_token, "bye"))
    assert end.parameters() == {"state": "bye"}


def test_an_open_one_takes_any_client(
    tmp_path_factory: pytest.TempPathFactory, urls: ClientURLs, agent: UserAgent
) -> None:
    directory, attempt = tmp_path_factory.mktemp("open"), Attempt()
    with (
        OidcProviderMock(directory, urls, is_open=True, access_token_seconds=7) as provider,
        closing(RelyingParty(provider, urls)) as client,
    ):
        page = provider.log_in(agent, client.authorization_url(attempt))
        assert client.redeem(page, attempt)["expires_in"] == 7
