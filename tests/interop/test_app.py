"""The app logs in, refreshes and logs out at providers that others wrote."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from joserfc.jwk import KeySet, RSAKey

from app.auth import ConsentRequired, ProviderError, SessionEnded
from app.auth.dpop import BoundToken
from app.auth.oidc.jwt import unverified_claims
from app.auth.session import Session

from ..flow.world import Clock
from . import glewlwyd, oidc_provider, oidc_provider_mock
from .app_at import APP, AppAt, app_at
from .glewlwyd import Glewlwyd
from .logout_receiver import LogoutReceiver
from .oidc_provider import KEY_CLIENT_ID, PUBLIC_CLIENT_ID, USER, OidcProvider, Switches
from .oidc_provider_mock import OidcProviderMock
from .provider_process import ClientURLs, ProviderProcess
from .relying_party import SCOPE, RelyingParty

API = "https://api.example.test"
KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)


def needs(why_not: Callable[[], str | None]) -> pytest.MarkDecorator:
    """Skips, and says why, where the provider could not be had."""
    return pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


AT_OIDC_PROVIDER = needs(oidc_provider.why_not)
AT_GLEWLWYD = needs(glewlwyd.why_not)
AT_MOCK = needs(oidc_provider_mock.why_not)
EACH = [
    pytest.param("oidc_provider", marks=AT_OIDC_PROVIDER),
    pytest.param("glewlwyd", marks=AT_GLEWLWYD),
    pytest.param("mock", marks=AT_MOCK),
]


@pytest.fixture
def clock() -> Clock:
    """Real time, which stands still."""
    return Clock(time.time())


@pytest.fixture(scope="module")
def app_urls(receiver: LogoutReceiver) -> ClientURLs:
    """The app's, but logout tokens go to somebody who keeps them."""
    return ClientURLs(f"{APP}/auth/callback", APP, receiver.url)


@pytest.fixture(scope="module")
def providers(
    tmp_path_factory: pytest.TempPathFactory, app_urls: ClientURLs
) -> Iterator[Callable[[str], ProviderProcess]]:
    """Starts each one when it is first asked for."""
    running: dict[str, ProviderProcess] = {}

    def provider(name: str) -> ProviderProcess:
        if name not in running:
            directory = tmp_path_factory.mktemp(name)
            running[name] = _made(name, directory, app_urls)
            running[name].start()
        return running[name]

    yield provider
    for process in running.values():
        process.stop()


def _made(name: str, directory: Path, urls: ClientURLs) -> ProviderProcess:
    match name:
        case "glewlwyd":
            return Glewlwyd(directory, urls)
        case "mock":
            return OidcProviderMock(directory, urls)
        case _:
            keys = dict(KeySet([KEY]).as_dict(private=False))
            return OidcProvider(directory, urls, Switches(key_client_jwks=keys))


@pytest.fixture
def provider(
    request: pytest.FixtureRequest, providers: Callable[[str], ProviderProcess]
) -> ProviderProcess:
    """The one that the test is for."""
    return providers(request.param)


@pytest.fixture
async def app(provider: ProviderProcess, tmp_path: Path, clock: Clock) -> AsyncIterator[AppAt]:
    """The app there, with a browser that has been nowhere."""
    async with app_at(provider, tmp_path, clock) as app:
        yield app


async def session(app: AppAt) -> Session:
    """What the app has for this browser."""
    found = await app.session()
    assert found is not None
    return found


@pytest.mark.parametrize("provider", EACH, indirect=True)
async def test_login_and_logout(app: AppAt) -> None:
    """A login ends in a session that knows the person; a logout ends it at both, and leads back."""
    assert await app.log_in() == f"{APP}/"
    assert (await session(app)).user["email"]
    assert (await app.log_out()).url.rstrip("/") == APP
    assert await app.session() is None


@pytest.mark.parametrize("provider", [EACH[0], EACH[2]], indirect=True)
async def test_consent_refused(app: AppAt, provider: ProviderProcess) -> None:
    """Who says no is told so, and is not logged in. Glewlwyd's page has no way of saying it, and
    the mock leaves the `state` out of its answer, so that it might be anybody's."""
    assert isinstance(provider, OidcProvider | OidcProviderMock)
    page = provider.refuse(app.agent, await app.begin())
    code = "access_denied" if isinstance(provider, OidcProvider) else "invalid_state"
    assert (await app.arrive(page)).startswith(f"{APP}/error?code={code}&")
    assert await app.session() is None


@pytest.mark.parametrize("provider", EACH, indirect=True)
async def test_refresh(app: AppAt) -> None:
    """An access token that an API refuses is renewed, again and again."""
    await app.log_in()
    tokens = [await app.access_token()]
    for _ in range(2):
        tokens.append(await app.access_token(refused=tokens[-1]))
    assert len(set(tokens)) == 3


@pytest.mark.parametrize("provider", EACH[:2], indirect=True)
async def test_rotation(app: AppAt) -> None:
    """The refresh token is another one each time."""
    await app.log_in()
    before = (await session(app)).refresh_tokens
    await app.access_token(refused=await app.access_token())
    assert (await session(app)).refresh_tokens != before


@pytest.mark.parametrize("provider", EACH[:1], indirect=True)
async def test_stolen_refresh_token(app: AppAt, provider: ProviderProcess) -> None:
    """When somebody else uses a refresh token, the next refresh here finds out, and the person has
    to log in again."""
    await app.log_in()
    (stolen,) = (await session(app)).refresh_tokens
    with closing(RelyingParty(provider, app.urls)) as thief:
        assert thief.refresh(stolen).status_code == 200
    with pytest.raises(SessionEnded):
        await app.access_token(refused=await app.access_token())
    assert await app.session() is None
    assert await app.log_in() == f"{APP}/"


@pytest.mark.parametrize("provider", EACH[1:2], indirect=True)
async def test_refusal_without_a_word(app: AppAt, provider: ProviderProcess) -> None:
    """Glewlwyd refuses with an empty body. That is not `invalid_grant`, so it ends no session: an
    error, until the person logs in again."""
    await app.log_in()
    (stolen,) = (await session(app)).refresh_tokens
    with closing(RelyingParty(provider, app.urls)) as thief:
        assert thief.refresh(stolen).status_code == 200
    token = await app.access_token()
    with pytest.raises(ProviderError):
        await app.access_token(refused=token)
    assert await app.session() is not None


async def logged_out_there(app: AppAt, receiver: LogoutReceiver) -> str:
    """The logout token that the provider sends for this session, among those for others."""
    sid = (await session(app)).sid
    await app.log_out_there()
    while True:
        token = receiver.tokens.get(timeout=10)
        if unverified_claims(token).get("sid") == sid:
            return token


@pytest.mark.parametrize("provider", EACH[:1], indirect=True)
async def test_back_channel_logout(app: AppAt, receiver: LogoutReceiver) -> None:
    """The provider's own logout token ends the session that it was sent for."""
    await app.log_in()
    response = await app.post_logout_token(await logged_out_there(app, receiver))
    assert response.status_code == 200
    assert await app.session() is None


@pytest.mark.parametrize("provider", EACH[1:2], indirect=True)
async def test_back_channel_logout_of_a_draft(app: AppAt, receiver: LogoutReceiver) -> None:
    """Glewlwyd's logout tokens are of a draft, without their type and `exp`: they are refused."""
    await app.log_in()
    response = await app.post_logout_token(await logged_out_there(app, receiver))
    assert response.status_code == 400
    assert await app.session() is not None


@pytest.mark.parametrize("provider", EACH[:2], indirect=True)
async def test_pushed_request(provider: ProviderProcess, tmp_path: Path, clock: Clock) -> None:
    """Where it is switched on, the request is pushed, and the browser carries a reference."""
    settings = {"AUTH0_PUSHED_AUTHORIZATION_REQUESTS": "1"}
    async with app_at(provider, tmp_path, clock, **settings) as app:
        assert "request_uri=" in await app.begin()
        assert await app.log_in() == f"{APP}/"


@AT_OIDC_PROVIDER
async def test_required_push(tmp_path: Path, clock: Clock, app_urls: ClientURLs) -> None:
    """Where the provider requires it, it needs no switching on."""
    with OidcProvider(tmp_path, app_urls, Switches(is_par_required=True)) as provider:
        async with app_at(provider, tmp_path, clock) as app:
            assert await app.log_in() == f"{APP}/"


@pytest.mark.parametrize("provider", EACH[:1], indirect=True)
async def test_private_key_jwt(provider: ProviderProcess, tmp_path: Path, clock: Clock) -> None:
    """A client that has a key instead of a secret logs in, refreshes and revokes."""
    settings = {
        "AUTH0_CLIENT_ID": KEY_CLIENT_ID,
        "AUTH0_CLIENT_SECRET": "",
        "AUTH0_TOKEN_ENDPOINT_AUTH_METHOD": "private_key_jwt",
        "AUTH0_CLIENT_ASSERTION_SIGNING_KEY": json.dumps(KEY.as_dict(private=True)),
    }
    async with app_at(provider, tmp_path, clock, **settings) as app:
        assert await app.log_in() == f"{APP}/"
        token = await app.access_token()
        assert await app.access_token(refused=token) != token
        await app.log_out()


@AT_OIDC_PROVIDER
async def test_dpop(tmp_path: Path, clock: Clock, app_urls: ClientURLs) -> None:
    """Where proofs need nonces, a confidential and a public client log in, ask UserInfo and refresh
    with the key of the session; the public one's refresh token is of no use without it."""
    public = {
        "AUTH0_CLIENT_ID": PUBLIC_CLIENT_ID,
        "AUTH0_CLIENT_SECRET": "",
        "AUTH0_TOKEN_ENDPOINT_AUTH_METHOD": "none",
    }
    switches = Switches(is_dpop_nonce_required=True)
    with OidcProvider(tmp_path, app_urls, switches) as provider:
        for number, environ in enumerate(({}, public)):
            directory = tmp_path / str(number)
            directory.mkdir()
            async with app_at(provider, directory, clock, AUTH0_DPOP="1", **environ) as app:
                assert await app.log_in() == f"{APP}/"
                before = await session(app)
                assert before.user["name"] == f"User {USER}"
                token = await app.access_token()
                assert isinstance(token, BoundToken)
                assert await app.access_token(refused=token) != token
                (renewed,) = (await session(app)).access_tokens
                assert renewed.dpop_key == before.access_tokens[0].dpop_key
        with closing(RelyingParty(provider, app.urls)) as thief:
            form = {
                "grant_type": "refresh_token",
                "client_id": PUBLIC_CLIENT_ID,
                "refresh_token": str(renewed.refresh_token),
            }
            refused = thief.http.post(thief.metadata["token_endpoint"], data=form)
            assert refused.status_code == 400


@pytest.mark.parametrize("provider", EACH[:1], indirect=True)
async def test_recent_login(app: AppAt) -> None:
    """With `max_age=0` a person who is logged in there is asked for the password once more."""
    await app.log_in()
    assert await app.log_in("max_age=0") == f"{APP}/"
    assert app.agent.times_asked == 2


@AT_OIDC_PROVIDER
async def test_audience(tmp_path: Path, clock: Clock, app_urls: ClientURLs) -> None:
    """The audience that the app asks for is the access token's, after a refresh, too."""
    for_an_api = Switches(is_audience_honoured=True, ends_in_slash=True)
    asked = {"audience": API, "scope": f"{SCOPE} read:messages"}
    with OidcProvider(tmp_path, app_urls, for_an_api) as provider:
        async with app_at(provider, tmp_path, clock, **asked) as app:
            assert await app.log_in() == f"{APP}/"
            first = await app.access_token()
            second = await app.access_token(refused=first)
            assert first != second
            for token in (first, second):
                assert unverified_claims(token)["aud"] == API
            with pytest.raises(ConsentRequired):
                await app.access_token(scope="write:messages")


@AT_OIDC_PROVIDER
async def test_name_comes_from_userinfo(
    providers: Callable[[str], ProviderProcess], tmp_path: Path, clock: Clock
) -> None:
    """This provider leaves the person out of the ID token."""
    async with app_at(providers("oidc_provider"), tmp_path, clock) as app:
        await app.log_in()
        assert (await session(app)).user["name"] == f"User {USER}"
