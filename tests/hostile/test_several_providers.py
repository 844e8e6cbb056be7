"""An app with two providers, which have the same `sub` for two users, and do not trust each other.

`work` is the honest one. `club` says and signs what it likes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.auth import (
    ANY_PROVIDER,
    AllowedRoute,
    AuditEvent,
    AuthConfig,
    AuthService,
    ConfigError,
    HttpInterceptorConfig,
    LoginRequired,
    MemorySessionStore,
    ProviderRequired,
    Sealer,
    TokenOptions,
)
from app.auth.session import Session, hash_session_id
from app.auth.testing import add_session, new_session

from ..flow.world import Clock, Inner
from .provider import SUB, HostileProvider
from .relying_party import APP, ENVIRON

WORK_API, CLUB_API, BOTH_API = (f"https://{name}.example/*" for name in ("work", "club", "both"))


@pytest.fixture
def club(clock: Clock) -> Iterator[HostileProvider]:
    """The other provider."""
    provider = HostileProvider(clock)
    provider.rotate_keys("club")  # a key of its own
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def work(provider: HostileProvider) -> HostileProvider:
    """The provider that is listed first."""
    return provider


class Party:
    """The app with both providers, and browsers."""

    def __init__(self, work: HostileProvider, club: HostileProvider, clock: Clock) -> None:
        self.store = MemorySessionStore(Sealer(("s" * 32,)), clock=clock)
        self.clock = clock
        self.record: list[AuditEvent] = []
        self.auth = self.service({"work": work, "club": club})
        self._app = httpx.ASGITransport(self.auth.asgi(Inner()))
        self.browser = self.new_browser()

    def service(self, providers: dict[str, HostileProvider]) -> AuthService:
        """An app with these providers, on the same store."""
        return AuthService(
            providers={name: config_of(each) for name, each in providers.items()},
            store=self.store,
            http_interceptor=HttpInterceptorConfig(
                [
                    AllowedRoute(api, token_options=TokenOptions(audience, provider=name))
                    for api, audience, name in (
                        (WORK_API, None, "work"),
                        (CLUB_API, "club-api", "club"),
                        (BOTH_API, None, ANY_PROVIDER),
                    )
                ]
            ),
            audit_hooks=[self.record.append],
            clock=self.clock,
            jitter=lambda: 0.0,
        )

    def new_browser(self) -> httpx.AsyncClient:
        """A browser with a cookie jar of its own."""
        return httpx.AsyncClient(mounts={APP: self._app}, trust_env=False)

    async def begin(self, query: str) -> str:
        """Where a login link leads."""
        response = await self.browser.get(f"{APP}/auth/login?{query}")
        return response.headers["location"]

    async def answer(self, query: str) -> str:
        """The callback that the provider of a login link answers with."""
        return (await self.browser.get(await self.begin(query))).headers["location"]

    async def log_in(self, name: str, query: str = "return_to=/profile") -> Session:
        """Log in at a provider, and return the session."""
        callback = await self.answer(f"provider={name}&{query}")
        response = await self.browser.get(callback)
        assert response.headers["location"] == f"{APP}/profile"
        session = await self.session()
        assert session is not None
        return session

    async def session(self) -> Session | None:
        """The session of the browser's cookie."""
        handle = self.browser.cookies.get("auth_session_3000")
        stored = await self.store.load(hash_session_id(handle)) if handle else None
        return stored.session if stored else None

    @property
    def key(self) -> str:
        """The store's key of the browser's session."""
        return hash_session_id(self.browser.cookies["auth_session_3000"])

    async def access_token(self, **options: Any) -> str:
        """What the interceptor would attach for this browser."""
        return await self.auth._access_token(self.key, lambda: "/page", TokenOptions(**options))

    async def post_logout_token(self, logout_token: str) -> int:
        """The status of a back-channel logout."""
        async with self.new_browser() as provider:
            answer = await provider.post(
                f"{APP}/auth/backchannel-logout", data={"logout_token": logout_token}
            )
        return answer.status_code


def config_of(provider: HostileProvider, **environ: str) -> AuthConfig:
    """What the app knows of a provider."""
    return AuthConfig.from_environ({"AUTH0_DOMAIN": provider.issuer, **ENVIRON, **environ})


@asynccontextmanager
async def _party(
    work: HostileProvider, club: HostileProvider, clock: Clock
) -> AsyncIterator[Party]:
    party = Party(work, club, clock)
    try:
        yield party
    finally:
        await party.browser.aclose()
        await party.auth.aclose()


@pytest.fixture
async def party(work: HostileProvider, club: HostileProvider, clock: Clock) -> AsyncIterator[Party]:
    """An app that has met nobody yet."""
    async with _party(work, club, clock) as party:
        yield party


def code_of(callback: str) -> str:
    """The code of the error page that a callback's answer leads to."""
    return parse_qs(urlsplit(callback).query)["code"][0]


@pytest.mark.parametrize("name", ["work", "club"])
async def test_login_at_each(party: Party, name: str) -> None:
    """Each provider has a callback of its own, and the session says which one it is of."""
    assert urlsplit(await party.answer(f"provider={name}")).path == f"/auth/callback/{name}"
    assert (await party.log_in(name)).provider == name


async def test_audit_log(party: Party) -> None:
    """The audit log says at which provider a user logs in and out: `sub` alone does not."""
    await party.log_in("club")
    party.clock.now += 100_000
    await party.access_token()
    await party.browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
    kinds = {str(event.kind): event.provider for event in party.record}
    expected = ("login_started", "login_completed", "token_refresh", "claims_updated", "logout")
    assert kinds == dict.fromkeys(expected, "club")


async def test_nothing_chosen(party: Party) -> None:
    """Without a provider, the user chooses on a page that keeps all of the link."""
    link = "return_to=%2Fprofile%3Ftab%3D2&scope=read%3Ax&replay=abc"
    assert await party.begin(link) == f"{APP}/login?{link}"


@pytest.mark.parametrize(
    "query", ["provider=other", "provider=", "provider=work%2F..", "iss=https://other.example/"]
)
async def test_unknown_provider(party: Party, query: str) -> None:
    """A link that names a provider that the app does not have starts no login."""
    assert code_of(await party.begin(query)) == "invalid_login_link"


async def test_provider_and_issuer_that_differ(party: Party, club: HostileProvider) -> None:
    """A link whose `iss` is not the issuer of its provider starts no login."""
    query = f"provider=work&iss={club.issuer}"
    assert code_of(await party.begin(query)) == "invalid_login_link"


async def test_login_that_a_third_party_starts(party: Party, club: HostileProvider) -> None:
    """`iss` chooses the provider (OpenID Connect Core section 4)."""
    assert (await party.begin(f"iss={club.issuer}")).startswith(club.issuer)


async def test_silent_login(party: Party, work: HostileProvider) -> None:
    """A silent login asks the first provider: there is no user to choose one."""
    assert (await party.begin("prompt=none")).startswith(work.issuer)


async def test_path_without_a_name(party: Party) -> None:
    """There is no callback for all providers."""
    callback = await party.answer("provider=work")
    response = await party.browser.get(callback.replace("/callback/work", "/callback"))
    assert response.status_code == 404
    assert await party.session() is None


@pytest.mark.parametrize(("asked", "answered"), [("work", "club"), ("club", "work")])
async def test_mix_up(
    party: Party, work: HostileProvider, club: HostileProvider, asked: str, answered: str
) -> None:
    """The answer to a login at one provider is refused at the callback of another, and the code
    reaches no token endpoint (RFC 9700 section 4.4)."""
    for each in (work, club):  # neither helps by sending `iss`
        each.bend.authorization_response = lambda items: [i for i in items if i[0] != "iss"]
        each.bend.discovery = lambda document: {
            k: v
            for k, v in document.items()
            if k != "authorization_response_iss_parameter_supported"
        }
    callback = await party.answer(f"provider={asked}")
    mixed_up = callback.replace(f"/callback/{asked}", f"/callback/{answered}")
    response = await party.browser.get(mixed_up)
    assert code_of(response.headers["location"]) == "issuer_mismatch"
    assert not [*work.asked("/token"), *club.asked("/token")]
    assert await party.session() is None
    again = await party.browser.get(callback)
    assert code_of(again.headers["location"]) == "invalid_state"


async def test_issuer_of_the_other(
    party: Party, work: HostileProvider, club: HostileProvider
) -> None:
    """The right callback refuses an answer whose `iss` is the other provider (RFC 9207)."""
    work.bend.authorization_response = lambda items: [
        (name, club.issuer if name == "iss" else value) for name, value in items
    ]
    response = await party.browser.get(await party.answer("provider=work"))
    assert code_of(response.headers["location"]) == "issuer_mismatch"


async def test_id_token_of_the_other(
    party: Party, work: HostileProvider, club: HostileProvider
) -> None:
    """A provider that says to be the other one in its ID token begins no session."""
    club.bend.claims = lambda claims: {**claims, "iss": work.issuer}
    response = await party.browser.get(await party.answer("provider=club"))
    assert code_of(response.headers["location"]) == "invalid_id_token"


async def test_same_sub(party: Party) -> None:
    """The same `sub` at two providers is two users: another state tree, and no common devices."""
    at_work = await party.log_in("work")
    work_key = party.key
    old, party.browser = party.browser, party.new_browser()
    at_club = await party.log_in("club")
    assert at_work.sub == at_club.sub == SUB
    assert at_work.identity != at_club.identity
    devices = party.auth.sessions.devices
    assert len(await devices.of(party.key)) == len(await devices.of(work_key)) == 1
    assert await devices.end_others(party.key) == 0
    assert await party.store.load(work_key) is not None
    await old.aclose()


async def test_recent_activity_of_the_same_sub(party: Party) -> None:
    """The activity of a user holds nothing of the same `sub` at another provider."""
    await party.log_in("work")
    work_key = party.key
    old, party.browser = party.browser, party.new_browser()
    await party.log_in("club")
    await party.log_in("club")
    activity = party.auth.sessions.recent_activity
    assert [each.reason for each in await activity.of(work_key, 20)] == ["new"]
    assert [each.reason for each in await activity.of(party.key, 20)] == ["replaced", "new"]
    await old.aclose()


async def test_recent_activity_under_a_name_of_another_issuer(
    party: Party, work: HostileProvider, club: HostileProvider
) -> None:
    """A provider that takes over the name of another one shows its users nothing of what the
    same `sub` did there; nor does an open session of the earlier one show anything."""
    await party.log_in("club")
    activity = party.auth.sessions.recent_activity
    assert len(await activity.of(party.key, 20)) == 1
    other = party.service({"work": club, "club": work})
    assert await other.sessions.recent_activity.of(party.key, 20) == []
    later = new_session({"sub": SUB})
    key = hash_session_id(await add_session(party.store, replace(later, provider="club")))
    assert await other.sessions.recent_activity.of(key, 20) == []
    assert len(await activity.of(key, 20)) == 1


async def test_same_sub_in_one_browser(party: Party) -> None:
    """A login at the other provider ends the session, and takes over neither the state tree nor a
    token of it; the same provider's takes over both."""
    first = await party.log_in("work")
    again = await party.log_in("work")
    assert again.state_key == first.state_key
    other = await party.log_in("club")
    assert other.state_key != first.state_key
    assert {token.value for token in other.access_tokens}.isdisjoint(
        token.value for token in again.access_tokens
    )
    assert len(await party.store.find(sub=SUB)) == 1


async def test_step_up(party: Party, club: HostileProvider) -> None:
    """A link without a provider asks the provider of the session, for a step-up and the like."""
    await party.log_in("club")
    assert (await party.begin("max_age=0&return_to=/x")).startswith(club.issuer)


async def test_scope_of_the_other(party: Party) -> None:
    """A login at one provider does not request what the session holds of another one."""
    await party.log_in("work", "return_to=/profile&scope=read:work")
    query = parse_qs(urlsplit(await party.begin("provider=club")).query)
    assert "read:work" not in query["scope"][0]


async def test_refresh(party: Party, work: HostileProvider, club: HostileProvider) -> None:
    """A refresh token goes to the provider that issued it."""
    await party.log_in("club")
    asked = len(club.asked("/token"))
    party.clock.now += 100_000
    await party.access_token()
    assert len(club.asked("/token")) == asked + 1
    assert not work.asked("/token")


async def test_token_of_the_other(party: Party, work: HostileProvider) -> None:
    """An entry of the allowed list gets the token of its own provider. A user of another one is
    asked to log in there."""
    await party.log_in("work")
    assert await party.access_token(provider="work") == await party.access_token()
    assert await party.access_token(provider=ANY_PROVIDER)
    with pytest.raises(ProviderRequired) as refused:
        await party.access_token(provider="club", audience="club-api")
    url = urlsplit(str(refused.value.login_url))
    assert parse_qs(url.query)["provider"] == ["club"]
    assert not [each for each in work.requests if "club-api" in str(each)]


@pytest.mark.parametrize("name", [None, "club", ANY_PROVIDER])
async def test_token_options_of_one_request(party: Party, name: str | None) -> None:
    """A request that asks for another token than its entry's gets none of another provider's."""
    await party.log_in("club")
    options = TokenOptions(audience="club-api", provider=name)
    async with party.auth.http_client_of(sub=SUB, provider="club") as http:
        with pytest.raises(ProviderRequired) as refused:
            await http.get(WORK_API.replace("*", "me"), extensions={"auth": options})
    assert refused.value.provider == "work"


async def test_audience_of_the_other(party: Party) -> None:
    """A login link may ask for an audience of its own provider only."""
    assert code_of(await party.begin("provider=work&audience=club-api")) == "invalid_login_link"
    assert "audience=club-api" in await party.begin("provider=club&audience=club-api")


async def test_provider_that_is_gone(party: Party, work: HostileProvider) -> None:
    """The tokens of a provider that the app no longer has are sent to no other one."""
    await party.log_in("club")
    party.clock.now += 100_000
    asked = len(work.requests)
    config = config_of(work)
    other = replace(config, domain="https://other.example")
    for providers in ({"config": config}, {"providers": {"work": config, "other": other}}):
        service = AuthService(store=party.store, clock=party.clock, **providers)  # type: ignore[arg-type]
        with pytest.raises(LoginRequired):
            await service._access_token(party.key, lambda: "/", TokenOptions())
        url, session = await service.sessions.logout.end(party.key)
        assert url == APP
        assert session is None or session.provider == "club"
    assert len(work.requests) == asked


async def test_name_of_another_issuer(party: Party, work: HostileProvider) -> None:
    """A provider that takes over the name of another one gets none of its tokens."""
    session = await party.log_in("club")
    party.clock.now += 100_000
    asked = len(work.requests)
    other = replace(config_of(work), domain="https://other.example")
    service = AuthService(
        store=party.store,
        clock=party.clock,
        providers={"club": config_of(work), "other": other},
    )
    with pytest.raises(LoginRequired) as refused:
        await service._access_token(party.key, lambda: "/", TokenOptions())
    assert refused.value.code == "login_required"
    await service.sessions.logout.revoke(session)
    assert (await service.sessions.logout.end(party.key))[0] == APP
    assert len(work.requests) == asked


async def test_login_under_a_name_of_another_issuer(
    party: Party, work: HostileProvider, club: HostileProvider
) -> None:
    """A login at a provider that has taken over the name of another one is another user's, also
    with the same `sub`."""
    first = await party.log_in("club")
    await party.auth.aclose()
    party.store = MemorySessionStore(Sealer(("s" * 32,)), clock=party.clock)
    await party.store.create(party.key, first)
    party.auth = party.service({"work": club, "club": work})
    app, cookies = httpx.ASGITransport(party.auth.asgi(Inner())), party.browser.cookies
    await party.browser.aclose()
    party.browser = httpx.AsyncClient(mounts={APP: app}, cookies=cookies, trust_env=False)
    other = await party.log_in("club")
    assert (other.sub, other.provider) == (first.sub, first.provider)
    assert other.state_key != first.state_key


async def test_logout(party: Party, club: HostileProvider) -> None:
    """A logout goes to the provider of the session; without one, to neither."""
    await party.log_in("club")
    answer = await party.browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
    assert answer.headers["location"].startswith(club.url("/logout"))
    answer = await party.browser.post(f"{APP}/auth/logout", headers={"Origin": APP})
    assert answer.headers["location"] == APP


async def test_backchannel_logout(
    party: Party, work: HostileProvider, club: HostileProvider
) -> None:
    """A provider ends the sessions of its own users, and not those of the same `sub` or `sid` at
    the other one."""
    session = await party.log_in("work")
    for claims in ({"sid": session.sid}, {"sid": None, "sub": SUB}):
        named = {name: value for name, value in claims.items() if value}
        header: dict[str, Any] = {}
        token = club.logout_token(header, **{"sid": session.sid, **named})
        assert await party.post_logout_token(token) == 200
        assert await party.session() is not None
    assert await party.post_logout_token(club.logout_token(iss=work.issuer)) == 400
    assert await party.post_logout_token(club.logout_token(iss="https://other.example/")) == 400
    assert await party.session() is not None
    assert await party.post_logout_token(work.logout_token()) == 200
    assert await party.session() is None


async def test_offline_access(party: Party) -> None:
    """A job names the provider of its user."""
    await party.log_in("club")
    for provider in (None, "other"):
        with pytest.raises(ValueError, match="provider"):
            party.auth.http_client_of(sub=SUB, provider=provider)
    offline = party.auth.sessions.offline_access
    with pytest.raises(LoginRequired):
        await offline(SUB, None, "work").access_token(_wanted())
    assert await offline(SUB, None, "club").access_token(_wanted())


def _wanted() -> Any:
    from app.auth.flows.access_tokens import TokenRequest

    return TokenRequest()


async def test_outage_of_one(party: Party, work: HostileProvider) -> None:
    """While one provider does not answer, users of the other log in."""
    work.stop()
    assert code_of(await party.begin("provider=work")) == "provider_unavailable"
    assert (await party.log_in("club")).provider == "club"


async def test_problem_page(party: Party, club: HostileProvider) -> None:
    """A failed login tells its page which provider it was, for another attempt."""
    club.bend.authorization_response = lambda items: [
        ("error", "access_denied"),
        *((name, value) for name, value in items if name in ("state", "iss")),
    ]
    response = await party.browser.get(await party.answer("provider=club&return_to=/profile"))
    query = parse_qs(urlsplit(response.headers["location"]).query)
    assert query["provider"] == ["club"]
    assert query["return_to"] == ["/profile"]


CONFIG = AuthConfig("https://one.example", "id", "secret", secrets=("s" * 32,))
OTHER = replace(CONFIG, domain="https://two.example")


@pytest.mark.parametrize(
    ("providers", "problem"),
    [
        ({"work": CONFIG, "club": CONFIG}, "Two providers have the issuer https://one.example/"),
        ({"work": CONFIG, "club": replace(OTHER, redis_url="redis://x")}, "differ in redis_url"),
        (
            {"work": CONFIG, "club": replace(OTHER, show_error_description=True)},
            "differ in show_error_description",
        ),
        ({"work": CONFIG, "club": replace(OTHER, secrets=("t" * 32,))}, "differ in secrets"),
        ({"work": CONFIG, "Club": OTHER}, 'The provider name "Club" is in a URL'),
        ({"work": CONFIG, "a/b": OTHER}, 'The provider name "a/b" is in a URL'),
    ],
    ids=["one issuer", "other store", "other texts", "other secret", "upper case", "path"],
)
def test_providers_that_contradict(
    providers: dict[str, AuthConfig], problem: str, clock: Clock
) -> None:
    """Providers that cannot be told apart, or would need two apps, stop the start."""
    store = MemorySessionStore(Sealer(("s" * 32,)), clock=clock)
    with pytest.raises(ConfigError, match=problem):
        AuthService(providers=providers, store=store)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("https://api.example.com/*", "names no login provider, and this app has several"),
        (AllowedRoute("https://api.example.com/*"), "names no login provider"),
        (
            AllowedRoute("https://api.example.com/*", token_options=TokenOptions(provider="clubb")),
            "names the login provider 'clubb', which this app does not have",
        ),
    ],
    ids=["text", "route", "unknown"],
)
def test_entry_without_a_provider(entry: str | AllowedRoute, problem: str, clock: Clock) -> None:
    """With several providers, each entry of the allowed list says whose token it gets: an API must
    not be sent the tokens of all of them by accident."""
    store = MemorySessionStore(Sealer(("s" * 32,)), clock=clock)
    with pytest.raises(ConfigError, match=problem):
        AuthService(
            providers={"work": CONFIG, "club": OTHER},
            store=store,
            http_interceptor=HttpInterceptorConfig([entry]),
        )


def test_neither_and_both(clock: Clock) -> None:
    """An app has one configuration, or several by name."""
    store = MemorySessionStore(Sealer(("s" * 32,)), clock=clock)
    for arguments in ({}, {"config": CONFIG, "providers": {"work": CONFIG}}, {"providers": {}}):
        with pytest.raises(TypeError, match="either a config or providers"):
            AuthService(store=store, **arguments)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="needs a store"):
        AuthService(CONFIG)
