"""What comes back for `prompt=none` (OpenID Connect Core 3.1.2.6), from the provider or others."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from .provider import HostileProvider
from .relying_party import APP, RelyingParty
from .test_authorization_response import OTHER, RESPONSES, Items, refused, replaced

QUERY = "return_to=/orders%3Fpage%3D2&prompt=none"
MARKER = "auth_no_silent_login_3000"
IS_ANSWERED = (
    *("login_required", "interaction_required", "consent_required"),
    *("account_selection_required", "access_denied", "server_error", "<script>"),
)


async def silently(party: RelyingParty, query: str = QUERY) -> httpx.Response:
    """From the link to the last redirect."""
    response = await party.begin(query)
    callback = await party.browser.get(response.headers["location"])
    return await party.browser.get(callback.headers["location"])


@pytest.mark.parametrize("error", IS_ANSWERED)
async def test_error(party: RelyingParty, provider: HostileProvider, error: str) -> None:
    """Whatever error the provider answers, the browser goes back to its page, with no session and
    no text of the provider, and does not try again."""
    provider.bend.authorization_response = refused(error, ("error_description", "Call 0800"))
    response = await silently(party)
    assert response.headers["location"] == f"{APP}/orders?page=2"
    assert MARKER in party.browser.cookies
    assert await party.session() is None


# Without a usable state, or with a parameter twice, it is not known which login it answers.
ANSWERS = [
    name
    for name, (_, code) in RESPONSES.items()
    if code != "invalid_state" and not name.startswith("two ")
]


@pytest.mark.parametrize("name", ANSWERS)
async def test_bent_answer(party: RelyingParty, provider: HostileProvider, name: str) -> None:
    """No answer that ends another login in an error makes a session in a silent one."""
    provider.bend.authorization_response = RESPONSES[name][0]
    response = await silently(party)
    assert response.headers["location"] == f"{APP}/orders?page=2"
    assert await party.session() is None


async def test_other_issuer(party: RelyingParty, provider: HostileProvider) -> None:
    """What another issuer answers is not remembered as the provider's word."""

    def bend(items: Items) -> Items:
        return replaced("iss", OTHER)(refused("login_required")(items))

    provider.bend.authorization_response = bend
    response = await silently(party)
    assert response.headers["location"] == f"{APP}/orders?page=2"
    assert MARKER not in party.browser.cookies


async def test_forged_answer(party: RelyingParty) -> None:
    """An answer that this browser did not ask for returns nowhere and is not remembered."""
    await party.begin(QUERY)
    forged = f"{APP}/auth/callback?error=login_required&state=x&return_to=//evil.example"
    response = await party.browser.get(forged)
    assert urlsplit(response.headers["location"]).path == "/error"
    assert parse_qs(urlsplit(response.headers["location"]).query)["return_to"] == ["/"]
    assert MARKER not in party.browser.cookies


@pytest.mark.parametrize(
    "value", ["x", "", "A" * 44, "a; Path=/", '"', "\x00"], ids=lambda value: repr(value)
)
async def test_planted_marker(party: RelyingParty, value: str) -> None:
    """A marker with another value than ours is none, and none of them stops a login."""
    headers = {"Cookie": f"{MARKER}={value}"}
    response = await party.browser.get(f"{APP}/auth/login?{QUERY}", headers=headers)
    assert response.headers["location"].startswith(party.provider.url("/authorize"))


async def test_popup_of_another_mode(party: RelyingParty, provider: HostileProvider) -> None:
    """The callback's own parameters do not say how a login ends: that is in the transaction."""
    provider.bend.authorization_response = lambda items: [
        *items,
        ("display", "popup"),
        ("return_to", "//evil.example"),
        ("mode", "popup"),
    ]
    response = await silently(party, "return_to=/orders")
    assert response.headers["location"] == f"{APP}/orders"
    assert await party.session() is not None
