"""The app logs in, refreshes and logs out at providers that others wrote."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path

import pytest

from app.auth import SessionEnded

from ..flow.world import Clock
from . import glewlwyd, oidc_provider, oidc_provider_mock
from .app_at import APP, AppAt, app_at
from .glewlwyd import Glewlwyd
from .oidc_provider import USER, OidcProvider, Switches
from .oidc_provider_mock import OidcProviderMock
from .provider_process import ClientURLs, ProviderProcess
from .relying_party import SCOPE, RelyingParty

URLS = ClientURLs(f"{APP}/auth/callback", APP)
HOUR = 3600.0
API = "https://api.example.test"
FOR_AN_API = Switches(ends_in_slash=True, is_audience_honoured=True)


def needs(why_not: Callable[[], str | None]) -> pytest.MarkDecorator:
    return pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


def missing(reason: str) -> pytest.MarkDecorator:
    """What the app does not do yet."""
    return pytest.mark.xfail(strict=True, reason=reason)


at_oidc_provider = needs(oidc_provider.why_not)
at_glewlwyd = needs(glewlwyd.why_not)
at_mock = needs(oidc_provider_mock.why_not)


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    switches = Switches(ends_in_slash=True)
    with OidcProvider(tmp_path_factory.mktemp("certified"), URLS, switches) as provider:
        yield provider


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Glewlwyd]:
    with Glewlwyd(tmp_path_factory.mktemp("in_c"), URLS) as provider:
        yield provider


@pytest.fixture
async def app(certified: OidcProvider, tmp_path: Path, clock: Clock) -> AsyncIterator[AppAt]:
    async with app_at(certified, tmp_path, clock) as app:
        yield app


@pytest.fixture
async def app_in_c(in_c: Glewlwyd, tmp_path: Path, clock: Clock) -> AsyncIterator[AppAt]:
    async with app_at(in_c, tmp_path, clock) as app:
        yield app


@at_oidc_provider
async def test_a_whole_session(app: AppAt, clock: Clock) -> None:
    assert await app.log_in() == f"{APP}/"
    assert (await app.profile())["sub"] == USER
    tokens = set()
    for _ in range(3):
        tokens.add(await app.access_token())
        clock.now += HOUR
    assert len(tokens) == 3
    assert (await app.log_out()).url.rstrip("/") == APP
    assert await app.profile() == {"error": "login_required"}


@at_oidc_provider
async def test_ended_at_the_provider(app: AppAt, certified: OidcProvider, clock: Clock) -> None:
    """The next refresh finds out, and the next login asks for a password again."""
    await app.log_in()
    with closing(RelyingParty(certified, URLS)) as client:
        end_session = client.metadata["end_session_endpoint"]
    app.agent.submit(app.agent.visit(end_session), logout="yes")
    clock.now += HOUR
    with pytest.raises(SessionEnded):
        await app.access_token()
    clock.now = time.time()
    assert await app.log_in() == f"{APP}/"


@at_oidc_provider
async def test_an_audience(tmp_path: Path, clock: Clock) -> None:
    scope = f"{SCOPE} read:messages"
    with OidcProvider(tmp_path, URLS, FOR_AN_API) as provider:
        async with app_at(provider, tmp_path, clock, audience=API, scope=scope) as app:
            assert await app.log_in() == f"{APP}/"
            first = await app.access_token()
            clock.now += HOUR
            second = await app.access_token()
    assert first != second
    assert first.count(".") == second.count(".") == 2


@at_oidc_provider
@missing('`"scope": ""` in a token response is refused')
async def test_an_audience_without_scopes(tmp_path: Path, clock: Clock) -> None:
    with OidcProvider(tmp_path, URLS, FOR_AN_API) as provider:
        await _log_in_once(provider, app_at(provider, tmp_path, clock, audience=API))


@at_oidc_provider
@missing("an issuer without a path is expected to end in a slash, as Auth0's does")
async def test_an_issuer_without_a_slash(tmp_path: Path, clock: Clock) -> None:
    with OidcProvider(tmp_path, URLS) as provider:
        await _log_in_once(provider, app_at(provider, tmp_path, clock))


@at_mock
@missing("an issuer without a path is expected to end in a slash, as Auth0's does")
async def test_the_mock(tmp_path: Path, clock: Clock) -> None:
    with OidcProviderMock(tmp_path, URLS) as provider:
        await _log_in_once(provider, app_at(provider, tmp_path, clock))


@at_oidc_provider
@missing("the app does not push its authorization requests")
async def test_required_pushing(tmp_path: Path, clock: Clock) -> None:
    with OidcProvider(
        tmp_path, URLS, Switches(ends_in_slash=True, is_par_required=True)
    ) as provider:
        await _log_in_once(provider, app_at(provider, tmp_path, clock))


@at_oidc_provider
@missing("the app takes the profile from the ID token alone")
async def test_the_name(app: AppAt) -> None:
    await app.log_in()
    assert (await app.profile())["name"] == f"User {USER}"


@at_glewlwyd
async def test_a_login_at_glewlwyd(app_in_c: AppAt) -> None:
    assert await app_in_c.log_in() == f"{APP}/"
    assert (await app_in_c.profile())["name"] == "Interop User"
    assert await app_in_c.access_token()


@at_glewlwyd
@missing("a token whose `aud` is not the configured audience is dropped, with none configured, too")
async def test_a_refresh_at_glewlwyd(app_in_c: AppAt, clock: Clock) -> None:
    await app_in_c.log_in()
    first = await app_in_c.access_token()
    clock.now += HOUR
    assert first != await app_in_c.access_token()


@at_glewlwyd
@missing("a refusal without a body is not taken for one")
async def test_ended_at_glewlwyd(app_in_c: AppAt, in_c: Glewlwyd, clock: Clock) -> None:
    await app_in_c.log_in()
    app_in_c.agent.http.delete(f"{in_c.issuer}/token/").raise_for_status()
    clock.now += HOUR
    with pytest.raises(SessionEnded):
        await app_in_c.access_token()


@at_glewlwyd
@missing("without id_token_hint Glewlwyd does not lead back to the app")
async def test_a_logout_at_glewlwyd(app_in_c: AppAt) -> None:
    await app_in_c.log_in()
    assert (await app_in_c.log_out()).url.rstrip("/") == APP


async def _log_in_once(
    provider: ProviderProcess, opening: AbstractAsyncContextManager[AppAt]
) -> None:
    async with opening as app:
        assert (await app.begin()).startswith(provider.issuer)
        assert await app.log_in() == f"{APP}/"
