"""Auth0's own clients, openid-client and mod_auth_openidc, unmodified, at the tenant with TLS."""

from __future__ import annotations

import functools
import json
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from app.local_tenant.clients import CONNECTION, EXCHANGE

from ..e2e.stack import Tenant
from ..servers import Server, answers, free_port
from .auth0_clients import apache as httpd
from .auth0_clients import (
    node_command,
    node_server,
    python_command,
    trusting,
    why_no_node,
    why_no_python,
)
from .auth0_clients.conversation import converse
from .auth0_clients.tls_tenant import tls_tenant
from .logout_receiver import LogoutReceiver

APP = "http://localhost:3000"
CALLBACK = f"{APP}/auth/callback"
ALICE = "auth0|65a4f1c2d3e4b5a697887901"
FORMS = {
    "/u/login": {"username": "alice@example.com", "password": "password"},
    "/u/consent": {"action": "accept"},
}

without_node = pytest.mark.skipif(bool(why_no_node()), reason=why_no_node())
without_python = pytest.mark.skipif(bool(why_no_python()), reason=why_no_python())


@functools.cache
def request_key() -> RSAKey:
    """The key that signs request objects of `local-app`."""
    return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)


@dataclass
class Clients:
    """The tenant, and the port of the Express app that is registered with it."""

    tenant: Tenant
    authority: Path
    express_port: int
    apache_port: int

    def browser(self) -> httpx.Client:
        """A browser that trusts the tenant's authority."""
        trusted = ssl.create_default_context(cafile=self.authority)
        return httpx.Client(verify=trusted, trust_env=False)

    def express(self, directory: Path, **options: object) -> Server:
        """The Express app with these options of express-openid-connect."""
        url = f"http://localhost:{self.express_port}"
        settings = json.dumps({"issuerBaseURL": self.tenant.url, **options})
        return node_server(
            "express_app.mjs",
            *(str(self.express_port), settings),
            log=directory / "express.log",
            ready=lambda: answers(url),
            NODE_EXTRA_CA_CERTS=str(self.authority),
        )


@pytest.fixture(scope="module")
def clients(
    tmp_path_factory: pytest.TempPathFactory, receiver: LogoutReceiver
) -> Iterator[Clients]:
    """A running tenant at which the clients of these tests are registered."""
    directory, port, apache_port = tmp_path_factory.mktemp("tenant"), free_port(), free_port()
    url, apache_url = f"http://localhost:{port}", f"http://localhost:{apache_port}"
    express = {
        "client_id": "express",
        "client_secret": "secret-of-express",
        "callbacks": [f"{url}/callback"],
        "allowed_logout_urls": [url],
    }
    of_apache = {
        "client_id": "apache",
        "client_secret": "secret-of-apache",
        "callbacks": [f"{apache_url}/callback"],
        "allowed_logout_urls": [f"{apache_url}/"],
    }
    own = {
        "client_id": "local-app",
        "oidc_logout": {"backchannel_logout_urls": [receiver.url]},
        "jwks": {"keys": [request_key().as_dict(private=False)]},
    }
    tenant, authority = tls_tenant(
        directory, app_url=APP, seeds=api_seeds, applications=[express, of_apache, own]
    )
    tenant.server.start()
    yield Clients(tenant, authority, port, apache_port)
    tenant.server.stop()


def api_seeds(issuer: str) -> dict[str, Any]:
    """An API that exchanges the tokens that it gets for those of another API."""
    return {
        "apis": [{"identifier": "https://orders.example/", "scopes": [{"value": "read:orders"}]}],
        "applications": [
            {
                "client_id": "api",
                "client_secret": "secret-of-the-api",
                "app_type": "resource_server",
                "resource_server_identifier": f"{issuer}api/v2/",
                "grant_types": [EXCHANGE, CONNECTION],
            }
        ],
    }


def visit(browser: httpx.Client, url: str) -> httpx.Response:
    """Go from a URL through the tenant's pages to the response of the application's address, or to
    the page that posts to it, or that says that a device is connected. `#decline` at its end
    declines what is asked."""
    forms = {**FORMS, "/u/consent": {"action": "decline"}} if url.endswith("#decline") else FORMS
    response = browser.get(url)
    while True:
        path = urlsplit(str(response.url)).path
        if response.has_redirect_location:
            assert response.next_request
            target = str(response.next_request.url)
            if not target.startswith(("https://localhost", "https://127")):
                return response
            response = browser.get(target)
        elif path in forms and response.request.method == "GET":
            response = browser.post(str(response.url), data=forms[path])
        elif "user_code" in response.url.params and response.request.method == "GET":
            response = browser.post(str(response.url), data=dict(response.url.params))
        else:
            return response


def callback_of(browser: httpx.Client) -> Callable[[str], str]:
    """Visits a URL; the result is the callback URL to which it leads, or its page."""

    def answer(url: str) -> str:
        response = visit(browser, url)
        return response.headers.get("location", str(response.url))

    return answer


@without_python
def test_server_python(clients: Clients, receiver: LogoutReceiver, tmp_path: Path) -> None:
    """auth0-server-python logs in, with a pushed request, too, refreshes, gets a connection token,
    logs out, and takes the tenant's logout token; auth0-api-python takes the access token, and no
    other, and exchanges it."""
    with clients.browser() as browser:

        def answer(url: str) -> str:
            location = str(visit(browser, url).headers["location"])
            return receiver.tokens.get(timeout=10) if "/v2/logout" in url else location

        domain = clients.tenant.url.removeprefix("https://")
        audience = f"{clients.tenant.url}/api/v2/"
        command = python_command("server_python.py", domain, CALLBACK, audience)
        brought = converse(command, trusting(clients.authority), answer, tmp_path / "log")
    assert brought == {
        "login": "alice@example.com",
        "pushed": "alice@example.com",
        "refresh": True,
        "connection": "fake-google-token-of-alice",
        "no connection": "Federated connection Refresh Token not found.",
        "on behalf of": [ALICE, {"sub": "api"}, "read:orders"],
        "connection of an api": "fake-google-token-of-alice",
        "unknown api": "Service not found: https://unknown.example/",
        "api": ALICE,
        "tampered": "VerifyAccessTokenError",
        "ended": True,
    }


@without_node
def test_openid_client(clients: Clients, tmp_path: Path) -> None:
    """openid-client logs in with each way of client authentication, pushed and signed requests,
    `max_age` and no PKCE, refreshes, asks UserInfo, gets a token for itself, introspects and
    exchanges tokens, connects a device, and sees its errors."""
    with clients.browser() as browser:
        command = node_command(
            "openid_client.mjs",
            f"{clients.tenant.url}/",
            json.dumps(request_key().as_dict(private=True)),
        )
        environ = trusting(clients.authority)
        brought = converse(command, environ, callback_of(browser), tmp_path / "log")
    assert brought == {
        **dict.fromkeys(("post", "basic", "jwt", "no_pkce", "userinfo"), "alice@example.com"),
        "max_age": "number",
        "refresh": True,
        "client_credentials": True,
        "revoked": "invalid_grant",
        "none": "login_required",
        "bogus": "invalid_request",
        **dict.fromkeys(("device", "jar"), "alice@example.com"),
        "declined": "access_denied",
        "introspection": [True, True],
        "not_mine": False,
        "exchange": "urn:ietf:params:oauth:token-type:access_token",
        "connection": "fake-google-token-of-alice",
    }


def express_login(clients: Clients, browser: httpx.Client) -> dict[str, dict[str, str]]:
    """Log in at the Express app; the result is what its page says."""
    url = f"http://localhost:{clients.express_port}"
    to_tenant = browser.get(f"{url}/login").headers["location"]
    response = visit(browser, to_tenant)
    if response.has_redirect_location:
        browser.get(response.headers["location"])
    else:
        (action,) = re.findall(r'<form method="post" action="([^"]+)"', response.text)
        fields = re.findall(r'name="(\w+)" value="([^"]*)"', response.text)
        browser.post(action, data={name: unescape(value) for name, value in fields})
    document: dict[str, dict[str, str]] = browser.get(url).json()
    return document


@without_node
@pytest.mark.parametrize("push", [False, True], ids=["plain", "pushed"])
def test_express(clients: Clients, tmp_path: Path, *, push: bool) -> None:
    """express-openid-connect with the code flow: login, refresh and logout."""
    parameters = {"response_type": "code", "scope": "openid profile email offline_access"}
    options = {
        "clientSecret": "secret-of-express",
        "authorizationParams": parameters,
        "pushedAuthorizationRequests": push,
    }
    app = clients.express(tmp_path, **options)
    app.start()
    try:
        with clients.browser() as browser:
            document = express_login(clients, browser)
            assert document["user"]["email"] == "alice@example.com"
            url = f"http://localhost:{clients.express_port}"
            refreshed = browser.get(f"{url}/refreshed").json()
            assert refreshed["accessToken"] != document["accessToken"]["access_token"]
            leave = browser.get(f"{url}/logout").headers["location"]
            assert visit(browser, leave).headers["location"] == url
            assert browser.get(url).json()["user"] is None
    finally:
        app.stop()


@without_node
def test_express_by_default(clients: Clients, tmp_path: Path) -> None:
    """express-openid-connect as it is: `response_type=id_token` with `response_mode=form_post`."""
    app = clients.express(tmp_path)
    app.start()
    try:
        with clients.browser() as browser:
            document = express_login(clients, browser)
            assert document["user"]["email"] == "alice@example.com"
            assert document["refreshToken"] is None
    finally:
        app.stop()


@pytest.mark.skipif(bool(httpd.why_not()), reason=httpd.why_not())
def test_apache(clients: Clients) -> None:
    """Apache's mod_auth_openidc shows its page to a user of the tenant, and logs out."""
    url = f"http://localhost:{clients.apache_port}"
    issuer = f"{clients.tenant.url}/"
    with ExitStack() as stack:
        # pytest's own directories are for this user only.
        directory = Path(stack.enter_context(TemporaryDirectory()))
        server = httpd.apache(
            directory, port=clients.apache_port, issuer=issuer, authority=clients.authority
        )
        stack.callback(server.stop)
        server.start()
        with clients.browser() as browser:
            callback = visit(browser, browser.get(f"{url}/").headers["location"])
            returned = browser.get(callback.headers["location"])
            page = browser.get(returned.headers["location"])
            assert (page.text, page.headers["x-user"]) == ("for users", "alice@example.com")
            left = browser.get(f"{url}/callback", params={"logout": f"{url}/"})
            assert visit(browser, left.headers["location"]).headers["location"] == f"{url}/"
            again = browser.get(f"{url}/")
            assert again.headers["location"].startswith(f"{issuer}authorize?")
