"""What comes back to the callback (RFC 6749 section 4.1.2, RFC 9207, Core 3.1.2.5)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .provider import HostileProvider
from .relying_party import RelyingParty

Items = list[tuple[str, str]]


def without(name: str) -> Callable[[Items], Items]:
    return lambda items: [item for item in items if item[0] != name]


def replaced(name: str, value: str) -> Callable[[Items], Items]:
    return lambda items: [(n, value if n == name else v) for n, v in items]


def with_more(*more: tuple[str, str]) -> Callable[[Items], Items]:
    return lambda items: [*items, *more]


def refused(error: str, *more: tuple[str, str]) -> Callable[[Items], Items]:
    return lambda items: [("error", error), *more, *without("code")(items)]


def doubled(name: str) -> Callable[[Items], Items]:
    return lambda items: [*items, *[item for item in items if item[0] == name]]


OTHER = "https://other.example/"

RESPONSES: dict[str, tuple[Callable[[Items], Items], str]] = {
    "fapi2-security-profile-final-client-test-invalid-authorization-response-iss": (
        replaced("iss", OTHER),
        "issuer_mismatch",
    ),
    "fapi2-security-profile-final-client-test-remove-authorization-response-iss": (
        without("iss"),
        "issuer_mismatch",
    ),
    "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-"
    "state-fails": (replaced("state", "of-another-login"), "invalid_state"),
    "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-"
    "missing-state-fails": (without("state"), "invalid_state"),
    "empty state": (replaced("state", ""), "invalid_state"),
    "no code": (without("code"), "invalid_callback"),
    "empty code": (replaced("code", ""), "invalid_callback"),
    "another code": (replaced("code", "somebody-else's"), "token_endpoint_error"),
    "a long code, which goes to the provider": (
        replaced("code", "c" * 12_000),
        "token_endpoint_error",
    ),
    "too long a code": (replaced("code", "c" * 16_385), "invalid_callback"),
    "a code with a line break": (replaced("code", "c\r\nc"), "invalid_callback"),
    "iss without its slash": (replaced("iss", "http://127.0.0.1"), "issuer_mismatch"),
    "two codes": (doubled("code"), "invalid_callback"),
    "two states": (doubled("state"), "invalid_callback"),
    "two issuers": (with_more(("iss", OTHER)), "invalid_callback"),
    "an error beside the code": (with_more(("error", "access_denied")), "access_denied"),
    "an ID token in the URL": (with_more(("id_token", "a.b.c")), "invalid_callback"),
    "an access token in the URL": (with_more(("access_token", "abc")), "invalid_callback"),
    "a JWT response that was not asked for": (with_more(("response", "a.b.c")), "invalid_callback"),
    "declined": (refused("access_denied"), "access_denied"),
    "declined by another issuer": (
        lambda items: replaced("iss", OTHER)(refused("access_denied")(items)),
        "issuer_mismatch",
    ),
    "login needed": (refused("login_required"), "login_required"),
    "an error that nobody defined": (refused("<script>alert(1)</script>"), "authorization_error"),
}


@pytest.mark.parametrize(("bend", "code"), RESPONSES.values(), ids=RESPONSES)
async def test_refused(
    party: RelyingParty,
    provider: HostileProvider,
    bend: Callable[[Items], Items],
    code: str,
) -> None:
    """Such an answer ends in a clear error, makes no session, and no code is redeemed for it."""
    provider.bend.authorization_response = bend
    outcome = await party.log_in()
    assert (outcome.code, outcome.session) == (code, None)
    assert len(provider.asked("/token")) == (code == "token_endpoint_error")


async def test_without_iss_where_none_is_announced(
    party: RelyingParty, provider: HostileProvider
) -> None:
    """A provider that does not know RFC 9207 need not send `iss`."""
    provider.bend.authorization_response = without("iss")
    provider.bend.discovery = lambda old: {
        **old,
        "authorization_response_iss_parameter_supported": False,
    }
    assert (await party.log_in()).code is None


async def test_text_of_the_provider(
    party: RelyingParty, provider: HostileProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """The provider's own words are in the log, shortened and escaped, and not in the page's URL."""
    words = "<b>Call 0800 for help</b>\nFAKE LOG LINE" + "x" * 1000
    provider.bend.authorization_response = refused("access_denied", ("error_description", words))
    response = await party.begin()
    response = await party.browser.get(response.headers["location"])
    response = await party.browser.get(response.headers["location"])
    assert "0800" not in response.headers["location"]
    line = next(text for text in caplog.messages if "0800" in text)
    assert "\n" not in line
    assert len(line) < 500
    reference = response.headers["location"].partition("id=")[2][:8]
    assert f"[{reference}]" in line


@pytest.mark.parametrize("name", ["oidcc-client-test-form-post-error"])
async def test_posted_answer(party: RelyingParty, provider: HostileProvider, name: str) -> None:
    """An answer that is posted was not asked for, and is no login."""
    await party.begin()
    response = await party.browser.post(
        "http://localhost:3000/auth/callback", data={"error": "login_required", "state": "x"}
    )
    assert response.status_code == 405
    assert await party.session() is None
