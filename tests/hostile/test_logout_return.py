"""Where a logout leads: a path of the app or an allowed URL, whatever a form or a link asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from starlette.types import Message

from ..flow.world import Clock, Inner
from .provider import HostileProvider
from .relying_party import APP, RelyingParty, relying_party

PARTNER = "https://partner.example/bye?from=app"
ODD = [
    "",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "/ok\r\nSet-Cookie: a=b",
    "/\tevil",
    " //evil.example",
    "/auth/login",
    "/auth/logout",
    "/x/%2e%2E/auth/logout",
    "/../other",
    "/" + "x" * 9000,
    f"{PARTNER}#x",
    PARTNER.upper(),
    "https://partner.example/bye",
    "https://partner.example/bye?from=app&next=https://evil.example",
    f" {PARTNER}",
]


@pytest.fixture
async def party(provider: HostileProvider, clock: Clock) -> AsyncIterator[RelyingParty]:
    """An app that may lead to one other site after a logout."""
    async with relying_party(provider, clock, APP_LOGOUT_URLS=PARTNER) as party:
        yield party


async def log_out(party: RelyingParty, **fields: str) -> str:
    """The URL at which a logout with these fields goes on."""
    answer = await party.browser.post(f"{APP}/auth/logout", data=fields, headers={"Origin": APP})
    assert await party.session() is None
    return answer.headers["location"]


async def returned(party: RelyingParty) -> str:
    """Where the browser goes when the provider sends it back."""
    answer = await party.browser.get(f"{APP}/auth/logged-out")
    assert answer.status_code == 303
    return answer.headers["location"]


@pytest.mark.parametrize(("return_to", "url"), [("/bye?a=1", f"{APP}/bye?a=1"), (PARTNER, PARTNER)])
async def test_return_to(
    party: RelyingParty, provider: HostileProvider, return_to: str, url: str
) -> None:
    """The provider gets the one registered address, and no path; from there the browser goes on to
    where it wanted, once."""
    await party.log_in()
    at_provider = await log_out(party, return_to=return_to)
    assert at_provider.startswith(provider.url("/logout?"))
    query = parse_qs(urlsplit(at_provider).query)
    assert query["post_logout_redirect_uri"] == [f"{APP}/auth/logged-out"]
    assert await returned(party) == url
    assert await returned(party) == APP


async def test_without_a_session(party: RelyingParty) -> None:
    """A client without a session stores nothing: its logout ends on the start page."""
    query = parse_qs(urlsplit(await log_out(party, return_to="/bye")).query)
    assert query["post_logout_redirect_uri"] == [APP]
    assert await returned(party) == APP


@pytest.mark.parametrize("return_to", ODD)
async def test_odd_return_to(party: RelyingParty, return_to: str) -> None:
    """Anything else leads to the start page: by the provider, from a form, and without it."""
    await party.log_in()
    query = parse_qs(urlsplit(await log_out(party, return_to=return_to)).query)
    assert query["post_logout_redirect_uri"] == [APP]
    assert await returned(party) == APP
    await party.log_in()
    assert await log_out(party, return_to=return_to, local="1") == APP


@pytest.mark.parametrize("return_to", ODD)
async def test_odd_link(party: RelyingParty, return_to: str) -> None:
    """A link that asks for such an address leads to a question that does not have it."""
    answer = await party.browser.get(f"{APP}/auth/logout", params={"return_to": return_to})
    assert answer.status_code == 200
    assert 'name="return_to"' not in answer.text


async def test_link_keeps_what_it_asks_for(party: RelyingParty) -> None:
    """A link asks first, and the form of the question has what the link asked for, escaped."""
    options = {"return_to": '/bye?q="><script>', "federated": "1"}
    text = (await party.browser.get(f"{APP}/auth/logout", params=options)).text
    assert '<input type="hidden" name="federated" value="1">' in text
    assert 'name="return_to" value="/bye?q=&quot;&gt;&lt;script&gt;"' in text
    assert "<script>" not in text
    local = (await party.browser.get(f"{APP}/auth/logout?local=1")).text
    assert '<input type="hidden" name="local" value="1">' in local
    assert "but not at the login provider" in local


async def test_forged(party: RelyingParty) -> None:
    """Another site's form neither logs out nor chooses where the question leads."""
    await party.log_in()
    answer = await party.browser.post(
        f"{APP}/auth/logout",
        data={"return_to": "/bye", "local": "1"},
        headers={"Origin": "https://evil.example"},
    )
    assert answer.status_code == 403
    assert "hidden" not in answer.text
    assert await party.session() is not None


async def test_local(party: RelyingParty, provider: HostileProvider) -> None:
    """A local logout ends the session here, revokes its tokens, and does not go to the provider."""
    await party.log_in()
    assert await log_out(party, local="1", return_to="/bye") == f"{APP}/bye"
    assert provider.asked("/logout") == []
    assert len(provider.asked("/revoke")) == 1


@pytest.mark.parametrize("value", ["", "0", "no"])
async def test_switch_that_is_off(party: RelyingParty, value: str) -> None:
    """A switch counts only if it is on."""
    await party.log_in()
    url = await log_out(party, local=value, federated=value)
    assert "federated" not in url
    assert "/logout?" in url


@pytest.mark.parametrize("endpoint", ["/oidc/logout", None])
async def test_federated(
    party: RelyingParty, provider: HostileProvider, endpoint: str | None
) -> None:
    """Auth0's parameter goes to either of its endpoints, and a return path still works."""
    url = provider.url(endpoint) if endpoint else None
    provider.bend.discovery = lambda old: {**old, "end_session_endpoint": url}
    await party.log_in()
    at_provider = await log_out(party, federated="1", return_to="/bye")
    query = parse_qs(urlsplit(at_provider).query, keep_blank_values=True)
    assert query["federated"] == [""]
    name = "post_logout_redirect_uri" if endpoint else "returnTo"
    assert query[name] == [f"{APP}/auth/logged-out"]
    assert await returned(party) == f"{APP}/bye"


async def test_two_logouts(party: RelyingParty) -> None:
    """Of two logouts of one browser, the later one says where it goes; another browser's says
    nothing here."""
    for path in ("/first", "/second"):
        await party.log_in()
        await log_out(party, return_to=path)
    kept = dict(party.browser.cookies)
    party.browser.cookies.clear()
    assert await returned(party) == APP
    party.browser.cookies.update(kept)
    assert await returned(party) == f"{APP}/second"


async def test_late_return(party: RelyingParty, clock: Clock) -> None:
    """What a logout asked for is forgotten after ten minutes."""
    await party.log_in()
    await log_out(party, return_to="/bye")
    clock.now += 601
    assert await returned(party) == APP


async def test_provider_away(party: RelyingParty, provider: HostileProvider) -> None:
    """If the provider cannot be asked where its logout is, the browser goes on at once."""
    provider.stop()
    assert await log_out(party, return_to="/bye") == f"{APP}/bye"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"return_to=/bye&return_to=/other", "application/x-www-form-urlencoded"),
        (b"return_to=%2Fbye", "text/plain"),
        (b"x=" + b"y" * 100_000, "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (urlencode({f"n{number}": "x" for number in range(50)}).encode(), ""),
    ],
)
async def test_odd_form(party: RelyingParty, body: bytes, content_type: str) -> None:
    """A form that cannot be read logs out, as a form without fields does."""
    await party.log_in()
    answer = await party.browser.post(
        f"{APP}/auth/logout",
        content=body,
        headers={"Origin": APP, "Content-Type": content_type},
    )
    assert await party.session() is None
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["post_logout_redirect_uri"] == [APP]


@pytest.mark.parametrize("path", ["/auth/logout", "/auth/backchannel-logout"])
async def test_form_that_is_cut_off(party: RelyingParty, path: str) -> None:
    """A client that goes while it sends a form raises nothing, which would be a traceback in the
    log each time. A logout logs out all the same."""
    await party.log_in()
    received = iter([b"return_to=", None])
    cookies = "; ".join(f"{name}={value}" for name, value in party.browser.cookies.items())

    async def receive() -> Message:
        body = next(received)
        if body is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": True}

    async def send(message: Message) -> None:
        """There is no client any more."""

    headers = {"cookie": cookies, "content-type": "application/x-www-form-urlencoded"}
    scope = {
        **post_to(path),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await party.auth.asgi(Inner())(scope, receive, send)
    assert (await party.session() is None) == (path == "/auth/logout")


def post_to(path: str) -> dict[str, Any]:
    """The scope of a POST to a path."""
    return {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "client": ("127.0.0.1", 1234),
        "server": ("localhost", 3000),
    }
