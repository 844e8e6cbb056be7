"""What the client asks for, and how it shows who it is."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from ..flow.world import Clock
from .http_server import Answer, Request
from .provider import HostileProvider
from .relying_party import ENVIRON, RelyingParty, relying_party
from .signing import ec_key, rsa_key

NO_SECRET = {"AUTH0_CLIENT_SECRET": ""}


async def token_request(provider: HostileProvider, clock: Clock, **environ: str) -> Request:
    """The request for tokens of a login with these settings."""
    async with relying_party(provider, clock, **environ) as party:
        assert (await party.log_in()).code is None
    return provider.asked("/token")[-1]


@pytest.mark.parametrize("name", ["oidcc-client-test-client-secret-basic"])
async def test_client_secret_basic(provider: HostileProvider, clock: Clock, name: str) -> None:
    """By default the secret goes into the header, form-encoded first, and nowhere else."""
    request = await token_request(provider, clock)
    credentials = request.headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(credentials) == b"rp:rp-secret-%21%25%2B"
    assert not {"client_id", "client_secret"} & request.form.keys()


async def test_client_secret_post(provider: HostileProvider, clock: Clock) -> None:
    """Into the form where that is set."""
    settings = {"AUTH0_TOKEN_ENDPOINT_AUTH_METHOD": "client_secret_post"}
    request = await token_request(provider, clock, **settings)
    assert request.form["client_secret"] == [ENVIRON["AUTH0_CLIENT_SECRET"]]
    assert "authorization" not in request.headers


async def test_only_post_is_announced(provider: HostileProvider, clock: Clock) -> None:
    """Or where the provider announces nothing else."""
    methods = {"token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"]}
    provider.bend.discovery = lambda old: {**old, **methods}
    request = await token_request(provider, clock)
    assert request.form["client_secret"] == [ENVIRON["AUTH0_CLIENT_SECRET"]]


async def test_public_client(provider: HostileProvider, clock: Clock) -> None:
    """A public client sends its name and the code verifier, and needs no secret."""
    settings = {"AUTH0_TOKEN_ENDPOINT_AUTH_METHOD": "none", **NO_SECRET}
    request = await token_request(provider, clock, **settings)
    assert request.form["client_id"] == ["rp"]
    assert request.form["code_verifier"]
    assert "client_secret" not in request.form
    assert "authorization" not in request.headers


@pytest.mark.parametrize("key", [rsa_key("client"), ec_key("client")], ids=["RSA", "EC"])
async def test_private_key_jwt(provider: HostileProvider, clock: Clock, key: Any) -> None:
    """An assertion is signed for the issuer alone, names the client, and is new each time."""
    settings = {
        "AUTH0_TOKEN_ENDPOINT_AUTH_METHOD": "private_key_jwt",
        "AUTH0_CLIENT_ASSERTION_SIGNING_KEY": key.as_pem(private=True)
        .decode()
        .replace("\n", "\\n"),
        **NO_SECRET,
    }
    algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
    jtis = set()
    for _ in range(2):
        request = await token_request(provider, clock, **settings)
        (assertion,) = request.form["client_assertion"]
        claims = jwt.decode(assertion, key, algorithms=[algorithm]).claims
        jtis.add(claims["jti"])
        assert (claims["iss"], claims["sub"], claims["aud"]) == ("rp", "rp", provider.issuer)
        assert 0 < claims["exp"] - clock() <= 60
        assert request.form["client_assertion_type"][0].endswith(":jwt-bearer")
    assert len(jtis) == 2


async def test_required_push(party: RelyingParty, provider: HostileProvider) -> None:
    """Where the provider requires it, the browser carries no more than a reference (RFC 9126)."""
    provider.bend.discovery = lambda old: {**old, "require_pushed_authorization_requests": True}
    assert (await party.log_in()).code is None
    (pushed,) = provider.asked("/par")
    assert pushed.headers["authorization"].startswith("Basic ")
    assert pushed.form["code_challenge_method"] == ["S256"]
    (request,) = provider.asked("/authorize")
    assert request.query.keys() == {"client_id", "request_uri"}


async def test_push_is_a_choice(provider: HostileProvider, clock: Clock) -> None:
    """Where it is only offered, it is used if it was switched on."""
    for settings, count in (({}, 0), ({"AUTH0_PUSHED_AUTHORIZATION_REQUESTS": "1"}, 1)):
        async with relying_party(provider, clock, **settings) as party:
            assert (await party.log_in()).code is None
        assert len(provider.asked("/par")) == count


PUSHED: dict[str, tuple[Any, str]] = {
    "refused": (Answer.of_json({"error": "invalid_request"}, 400), "token_endpoint_error"),
    "an error with status 200": (Answer.of_json({"error": "x"}), "token_endpoint_error"),
    "no reference": ({}, "provider_error"),
    "a reference that is a number": ({"request_uri": 7}, "provider_error"),
    "HTML": (Answer(201, b"<html>"), "provider_error"),
    "a redirect": (Answer.redirect("https://evil.example/par"), "provider_error"),
    "busy": (Answer(503), "provider_unavailable"),
}


@pytest.mark.parametrize(("bent", "code"), PUSHED.values(), ids=PUSHED)
async def test_refused_push(
    party: RelyingParty, provider: HostileProvider, bent: Any, code: str
) -> None:
    """A request that could not be pushed is not sent with the browser instead."""
    provider.bend.discovery = lambda old: {**old, "require_pushed_authorization_requests": True}
    provider.bend.pushed = lambda _: bent
    outcome = await party.log_in()
    assert (outcome.code, outcome.session) == (code, None)
    assert not provider.asked("/authorize")


async def asked(party: RelyingParty, query: Mapping[str, str]) -> dict[str, str]:
    """What a login link with this query asks the provider for."""
    response = await party.begin(urlencode(query))
    parameters = parse_qs(urlsplit(response.headers["location"]).query, keep_blank_values=True)
    return {name: values[0] for name, values in parameters.items()}


PARAMETERS = {
    "login_hint": "rea@example.com",
    "screen_hint": "signup",
    "connection": "Username-Password-Authentication",
    "organization": "org_1",
    "invitation": "ticket-1",
    "prompt": "login",
    "max_age": "600",
    "acr_values": "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
    "ui_locales": "de-CH fr",
    "display": "touch",
}


async def test_parameters_of_a_link(party: RelyingParty) -> None:
    """The parameters of Auth0's SDKs are passed on, each under its own name."""
    parameters = await asked(party, PARAMETERS)
    assert {name: parameters[name] for name in PARAMETERS} == PARAMETERS


async def test_nothing_else(party: RelyingParty) -> None:
    """A link cannot change what ties the answer to the request, and adds no other parameter."""
    hostile = {
        "client_id": "evil",
        "redirect_uri": "https://evil.example/",
        "response_type": "token",
        "response_mode": "fragment",
        "state": "mine",
        "nonce": "mine",
        "code_challenge": "mine",
        "code_challenge_method": "plain",
        "request": "e30.e30.",
        "request_uri": "https://evil.example/request",
        "claims": "{}",
        "id_token_hint": "x",
        "utm_source": "newsletter",
    }
    parameters, usual = await asked(party, hostile), await asked(party, {})
    assert parameters.keys() == usual.keys()
    assert not set(parameters.values()) & set(hostile.values())


MISSHAPEN = {
    "prompt": "everything",
    "max_age": "-1",
    "acr_values": "a\tb",
    "ui_locales": "de;q=1",
    "organization": "a/../b",
    "invitation": "a b",
    "login_hint": "a\r\nb",
    "screen_hint": "<script>",
    "connection": "x" * 300,
    "display": "popup page",
}


@pytest.mark.parametrize(("name", "value"), [*MISSHAPEN.items(), ("prompt", "none login")])
async def test_misshapen_parameter(party: RelyingParty, name: str, value: str) -> None:
    """A value that cannot be meant stops the login before it begins."""
    outcome = await party.log_in(urlencode({name: value}))
    assert (outcome.code, outcome.session) == ("invalid_login_link", None)


ORGANIZATIONS: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "by id": ("org_1", {"org_id": "org_1"}, None),
    "by name, in whatever case": ("Acme", {"org_name": "acme", "org_id": "org_1"}, None),
    "another id": ("org_1", {"org_id": "org_2"}, "invalid_id_token"),
    "another name": ("acme", {"org_name": "other", "org_id": "org_1"}, "invalid_id_token"),
    "none": ("org_1", {}, "invalid_id_token"),
    "a name where an id was asked": ("org_1", {"org_name": "org_1"}, "invalid_id_token"),
}


@pytest.mark.parametrize(
    ("organization", "claims", "code"), ORGANIZATIONS.values(), ids=ORGANIZATIONS
)
async def test_organization(
    party: RelyingParty,
    provider: HostileProvider,
    organization: str,
    claims: dict[str, Any],
    code: str | None,
) -> None:
    """A login for an organization is one for no other."""
    provider.bend.claims = lambda old: {**old, **claims}
    assert (await party.log_in(f"organization={organization}")).code == code


@pytest.mark.parametrize(("age", "code"), [(0, None), (660, None), (661, "invalid_id_token")])
async def test_max_age(
    party: RelyingParty, provider: HostileProvider, clock: Clock, age: int, code: str | None
) -> None:
    """With `max_age`, a login at the provider that is older (and a minute) is refused."""
    provider.bend.claims = lambda old: {**old, "auth_time": int(clock()) - age}
    assert (await party.log_in("max_age=600")).code == code


async def test_max_age_without_time(party: RelyingParty, provider: HostileProvider) -> None:
    """So is one that does not say when it was."""
    provider.bend.claims = lambda old: {n: v for n, v in old.items() if n != "auth_time"}
    assert (await party.log_in("max_age=600")).code == "invalid_id_token"


@pytest.mark.parametrize("name", ["oidcc-client-test-3rd-party-init-login"])
async def test_begun_by_a_third_party(
    party: RelyingParty, provider: HostileProvider, name: str
) -> None:
    """A login may begin elsewhere, for this provider and for a page of this app."""
    page = "http://localhost:3000/profile?a=1"
    query = {"iss": provider.issuer, "login_hint": "rea", "target_link_uri": page}
    response = await party.begin(urlencode(query))
    for _ in range(2):
        response = await party.browser.get(response.headers["location"])
    assert response.headers["location"] == page
    assert provider.asked("/authorize")[0].query["login_hint"] == ["rea"]


async def test_begun_for_another_provider(party: RelyingParty) -> None:
    """A link that is meant for another provider is said to be odd."""
    assert (await party.log_in("iss=https://other.example/")).code == "invalid_login_link"


async def test_begun_for_a_page_elsewhere(party: RelyingParty) -> None:
    """A page elsewhere is not gone to."""
    query = {"target_link_uri": "https://evil.example/"}
    response = await party.begin(urlencode(query))
    for _ in range(2):
        response = await party.browser.get(response.headers["location"])
    assert response.headers["location"] == "http://localhost:3000/"
