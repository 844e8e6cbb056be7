"""DPoP (RFC 9449) from the login to the API: one key for each session, enforced."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.auth import AllowedList, AuthConfig, AuthService, ConfigError, TokenOptions
from app.auth.dpop import BoundToken, DPoPKey
from app.auth.interceptor import AccessTokenTransport, AllowedRoute, HttpInterceptorConfig
from app.auth.interceptor.client import build_client
from app.auth.oidc.jwt import unverified_claims
from app.auth.session import AccessToken, MemorySessionStore, Sealer
from app.external_api import ApiSettings, create_api

from .world import APP, OTHER_AUDIENCE, TENANT, World, key_of, through_the_pages

ALICE = "auth0|65a4f1c2d3e4b5a697887901"
ME = f"{TENANT}/api/v2/users/{ALICE.replace('|', '%7C')}"
MESSAGES = TokenOptions(OTHER_AUDIENCE, "read:messages")
ENFORCED = {"dpop_required": True, "dpop_nonces": True}
PUBLIC = {
    "AUTH0_DPOP": "1",
    "AUTH0_DOMAIN": TENANT,
    "AUTH0_CLIENT_ID": "local-spa",
    "AUTH0_SECRET": "s" * 32,
    "AUTH0_TOKEN_ENDPOINT_AUTH_METHOD": "none",
}


@asynccontextmanager
async def world_with(
    directory: Path, environ: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[tuple[World, httpx.AsyncClient]]:
    """A world in which tokens are bound, and a browser that is logged in."""
    variables = {"AUTH0_DPOP": "1"} if environ is None else environ
    world = World(directory, environ=variables, **options)
    try:
        async with world.browser() as browser:
            await world.log_in(browser)
            yield world, browser
    finally:
        await world.store.close()


async def token_of(world: World, browser: httpx.AsyncClient) -> AccessToken:
    """The only access token of the session."""
    session = await world.session(browser)
    assert session is not None
    (token,) = session.access_tokens
    return token


def jkt_of(token: str) -> str | None:
    """The thumbprint of the key that the tenant has bound a token to."""
    jkt: str | None = unverified_claims(token).get("cnf", {}).get("jkt")
    return jkt


def thumbprint(token: AccessToken) -> str:
    """That of the key in the session."""
    assert token.dpop_key is not None
    return DPoPKey.load(token.dpop_key).thumbprint


@pytest.mark.parametrize(
    "tenant",
    [
        pytest.param({}, id="fapi2-security-profile-final-client-test-happy-path-no-dpop-nonce"),
        pytest.param(ENFORCED, id="required, with nonces"),
    ],
)
@pytest.mark.parametrize("environ", [None, PUBLIC], ids=["confidential", "public"])
async def test_login_refresh_and_calls(
    tmp_path: Path, tenant: dict[str, Any], environ: dict[str, str] | None
) -> None:
    """Login, API calls and refreshes use one key, also where proofs and nonces are required."""
    async with world_with(tmp_path, environ, tenant=tenant) as (world, browser):
        first = await token_of(world, browser)
        assert jkt_of(first.value) == thumbprint(first)
        async with world.auth.http_client_of(sub=ALICE) as http:
            for _ in range(2):
                response = await http.get(ME, params={"fields": "email"})
                assert response.json() == {"email": "alice@example.com"}
        await world.refresh(browser)
        second = await token_of(world, browser)
        assert second.value != first.value
        assert second.refresh_token != first.refresh_token
        assert second.dpop_key == first.dpop_key
        assert jkt_of(second.value) == thumbprint(first)


async def test_nonces_cost_one_request_for_each_server(tmp_path: Path) -> None:
    """The first request to the token endpoint and to the API is refused and repeated; the next
    ones, of any user, have the nonce."""
    async with world_with(tmp_path, tenant=ENFORCED) as (world, browser):
        assert world.network.grants == 2
        async with world.auth.http_client_of(sub=ALICE) as http:
            await http.get(ME)
            await http.get(ME)
        assert world.network.paths.count(ME.removeprefix(TENANT).replace("%7C", "|")) == 3
        await world.refresh(browser)
        async with world.browser() as another:
            await world.log_in(another, "bob@example.com")
        assert world.network.grants == 4 + 1  # an hour has passed, so the first nonce is too old


async def test_authorization_request_names_the_key(tmp_path: Path) -> None:
    """`dpop_jkt` (section 10) is the thumbprint; each login has a key of its own, and a code is of
    no use with another one."""
    async with world_with(tmp_path) as (world, browser):
        asked = [parse_qs(urlsplit(await world.begin(browser)).query) for _ in range(2)]
        assert asked[0]["dpop_jkt"] != asked[1]["dpop_jkt"]
        assert thumbprint(await token_of(world, browser)) not in asked[0]["dpop_jkt"]
        url = await world.begin(browser)
        other = DPoPKey.generate().thumbprint
        swapped = str(httpx.URL(url).copy_set_param("dpop_jkt", other))
        done = await browser.get(await world.answer(browser, swapped))
        assert "code=token_endpoint_error" in done.headers["location"]


async def test_links_cannot_choose_the_key(tmp_path: Path) -> None:
    """A login link with `dpop_jkt` is refused, or has no effect."""
    async with world_with(tmp_path) as (_, browser):
        answer = await browser.get(f"{APP}/auth/login?dpop_jkt=x")
        assert parse_qs(urlsplit(answer.headers["location"]).query).get("dpop_jkt") != ["x"]


async def test_userinfo_gets_a_proof(tmp_path: Path) -> None:
    """Where the ID token lacks claims, UserInfo is asked with the bound token and a proof."""
    options = {"id_token_on_refresh": False, "tenant": ENFORCED}
    async with world_with(tmp_path, **options) as (world, browser):
        session = await world.refresh(browser)
        assert "/userinfo" in world.network.paths
        assert session.user["email"] == "alice@example.com"
        assert session.claims_at == world.clock.now


async def test_stolen_tokens_are_worth_nothing(tmp_path: Path) -> None:
    """Without the key, neither the access token nor a public client's refresh token is accepted."""
    async with world_with(tmp_path, PUBLIC) as (world, browser):
        token = await token_of(world, browser)
        bearer = {"Authorization": f"Bearer {token.value}"}
        assert (await browser.get(ME, headers=bearer)).status_code == 401
        assert (await browser.get(f"{TENANT}/userinfo", headers=bearer)).status_code == 401
        form = {
            "grant_type": "refresh_token",
            "client_id": "local-spa",
            "refresh_token": str(token.refresh_token),
        }
        url, now = httpx.URL(f"{TENANT}/oauth/token"), world.clock.now
        thief = DPoPKey.generate().proof("POST", url, now=now)
        for headers in ({}, {"DPoP": thief}):
            refused = await browser.post(f"{TENANT}/oauth/token", data=form, headers=headers)
            assert refused.status_code in (400, 403)
        await world.refresh(browser)


async def test_another_login_of_the_same_user_takes_over_bound_tokens(tmp_path: Path) -> None:
    """After a further consent the session has two keys: each token is refreshed with its own."""
    async with world_with(tmp_path, PUBLIC) as (world, browser):
        first = await token_of(world, browser)
        query = {"audience": OTHER_AUDIENCE, "scope": "read:messages"}
        begun = await browser.get(f"{APP}/auth/login", params=query)
        await browser.get(await through_the_pages(browser, begun.headers["location"]))
        for _ in range(2):
            world.clock.now += 3601
            for options in (TokenOptions(), MESSAGES):
                await world.auth._access_token(key_of(browser), lambda: "/", options)
        session = await world.session(browser)
        assert session is not None
        held = {token.audience: token for token in session.access_tokens}
        assert held[first.audience].dpop_key == first.dpop_key
        assert held[OTHER_AUDIENCE].dpop_key != first.dpop_key
        for token in held.values():
            assert jkt_of(token.value) == thumbprint(token)


async def test_another_user_gets_another_key(tmp_path: Path) -> None:
    """Bob's login in Alice's browser takes over nothing of hers."""
    async with world_with(tmp_path) as (world, browser):
        before = await token_of(world, browser)
        await world.log_out_at_tenant(browser)
        await world.log_in(browser, "bob@example.com")
        assert (await token_of(world, browser)).dpop_key != before.dpop_key


async def test_external_api_enforces_it(tmp_path: Path) -> None:
    """The second API, with `--dpop` and nonces, takes a bound token and refuses a Bearer token."""
    options = {"multi_resource_refresh_tokens": True, "tenant": ENFORCED}
    async with world_with(tmp_path, **options) as (world, browser):
        link = {"audience": OTHER_AUDIENCE, "scope": "read:messages"}
        begun = await browser.get(f"{APP}/auth/login", params=link)
        await browser.get(await through_the_pages(browser, begun.headers["location"]))
        settings = ApiSettings(dpop_required=True, dpop_nonces=True)
        back_channel = httpx.AsyncClient(transport=world.network)
        api = httpx.ASGITransport(create_api(settings, client=back_channel, clock=world.clock))

        async def bound(_: TokenOptions) -> str:
            return await world.auth._access_token(key_of(browser), lambda: "/", MESSAGES)

        async def plain(options: TokenOptions) -> str:
            return str(await bound(options))

        allowed = AllowedList(["http://127.0.0.1:4401/api/*"])
        for get_token, status in ((bound, 200), (plain, 401)):
            transport = AccessTokenTransport(allowed, get_token, api, clock=world.clock)
            async with build_client(transport) as http:
                response = await http.get("http://127.0.0.1:4401/api/external")
                assert response.status_code == status
        assert response.headers["www-authenticate"].startswith("DPoP ")
        await back_channel.aclose()


@pytest.mark.parametrize("is_default", [True, False])
async def test_by_entry(tmp_path: Path, is_default: bool) -> None:
    """`TokenOptions.dpop` of an entry decides for its audience, against the default."""
    options = {
        "multi_resource_refresh_tokens": True,
        "other_token": replace(MESSAGES, dpop=not is_default),
    }
    environ = {"AUTH0_DPOP": "1" if is_default else "0"}
    async with world_with(tmp_path, environ, **options) as (world, browser):
        link = {"audience": OTHER_AUDIENCE, "scope": "read:messages"}
        begun = await browser.get(f"{APP}/auth/login", params=link)
        assert ("dpop_jkt" in begun.headers["location"]) is not is_default
        await browser.get(await through_the_pages(browser, begun.headers["location"]))
        for _ in range(2):
            world.clock.now += 3601
            for asked, is_bound in ((TokenOptions(), is_default), (MESSAGES, not is_default)):
                token = await world.auth._access_token(key_of(browser), lambda: "/", asked)
                assert (jkt_of(token) is not None) is is_bound
                assert isinstance(token, BoundToken) is is_bound


@pytest.mark.parametrize("environ", [{}, {**PUBLIC, "AUTH0_DPOP": "0"}], ids=["secret", "public"])
async def test_switched_on_and_off_again(tmp_path: Path, environ: dict[str, str]) -> None:
    """Sessions that are there when DPoP is switched on are bound at the next request, and stay so
    when it is switched off."""
    async with world_with(tmp_path, environ) as (world, browser):
        assert (await token_of(world, browser)).dpop_key is None

        async def token(*, dpop: bool) -> str:
            config = replace(world.auth.config, dpop=dpop)
            auth = AuthService(config, world.store, pool=world.network, clock=world.clock)
            return await auth._access_token(key_of(browser), lambda: "/", TokenOptions())

        assert jkt_of(await token(dpop=True)) is not None
        bound = await token_of(world, browser)
        for is_on in (False, True):
            world.clock.now += 3601
            assert jkt_of(await token(dpop=is_on)) == thumbprint(bound)


async def test_key_stays_in_the_sealed_record(tmp_path: Path) -> None:
    """Neither the file, the representation, a page, nor what the app is given holds the key."""
    async with world_with(tmp_path) as (world, browser):
        token = await token_of(world, browser)
        private = json.loads(str(token.dpop_key))["d"]
        session = await world.session(browser)
        shown = [repr(session), repr(token), json.dumps(await world.profile(browser))]
        shown += [str(event) for event in world.record]
        assert not any(private in text for text in shown)
        await world.store.close()
        for file in world.store_file.parent.iterdir():
            assert private.encode() not in file.read_bytes()


def config(**environ: str) -> AuthConfig:
    """A configuration of a public client."""
    return AuthConfig.from_environ({**PUBLIC, **environ})


@pytest.mark.parametrize(
    ("environ", "dpops"),
    [
        pytest.param({}, [False], id="public client, one entry without"),
        pytest.param({"AUTH0_DPOP": "0"}, [True], id="public client, one entry with"),
        pytest.param(
            {"AUTH0_TOKEN_ENDPOINT_AUTH_METHOD": "", "AUTH0_CLIENT_SECRET": "secret"},
            [True, False],
            id="two entries for one audience",
        ),
    ],
)
async def test_contradictions_in_the_configuration(
    environ: dict[str, str], dpops: list[bool]
) -> None:
    """What cannot be kept is an error at the start."""
    entries = [
        AllowedRoute(f"https://api{n}.example/*", token_options=TokenOptions("api", dpop=dpop))
        for n, dpop in enumerate(dpops)
    ]
    store = MemorySessionStore(Sealer(("s" * 32,)))
    with pytest.raises(ConfigError, match=r"DPoP|dpop"):
        AuthService(
            config(**environ), store, http_interceptor=HttpInterceptorConfig(allowed_list=entries)
        )
    await store.close()


async def test_contradiction_of_one_request(tmp_path: Path) -> None:
    """A request that asks a public client for a Bearer token is an error of its own."""
    async with world_with(tmp_path, PUBLIC) as (world, browser):
        options = TokenOptions(dpop=False)
        with pytest.raises(ConfigError, match="public client"):
            await world.auth._access_token(key_of(browser), lambda: "/", options)
