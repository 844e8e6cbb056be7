"""A page with the unmodified auth0-spa-js, and what a person does there."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from playwright.sync_api import Page

from ..interop.auth0_clients import HERE, NODE_CLIENTS
from .walk import ALICE, PASSWORD, by_test_id, enter_password

_SDK = NODE_CLIENTS / "node_modules/@auth0/auth0-spa-js/dist/auth0-spa-js.production.js"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_script = self.path.startswith("/auth0-spa-js.js")
        body = (_SDK if is_script else HERE / "spa.html").read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def running_page() -> Iterator[str]:
    """Serve the page; gives its URL, without a slash at the end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


class App:
    """The page of one person, and what they do there."""

    def __init__(self, page: Page, url: str, tenant: str, options: dict[str, Any]) -> None:
        self.page, self.url, self.options = page, url, {"domain": tenant, **options}

    def open(self, **parameters: str) -> None:
        """Load the page, as a reload does: what it had in memory is gone."""
        self.page.goto(self.url)
        self.begin(**parameters)

    def begin(self, **parameters: str) -> None:
        """Make the SDK's client, and finish a login that has come back."""
        self.page.wait_for_url(f"{self.url}/**")
        self.page.evaluate("([o, p]) => begin(o, p)", [self.options, parameters])

    def log_in(self, email: str = ALICE, **parameters: str) -> None:
        """Log in by redirect."""
        self.leave(**parameters)
        answer_pages(self.page, email)
        self.begin()

    def leave(self, **parameters: str) -> None:
        """Begin a login by redirect."""
        self.page.evaluate(
            "p => { client.loginWithRedirect({authorizationParams: p}) }", parameters
        )

    def refused(self) -> dict[str, str]:
        """The error that a login by redirect has come back with."""
        self.page.wait_for_url(re.compile(rf"^{self.url}/\?.*error="))
        outcome = self.page.evaluate("o => outcome(begin(o))", self.options)
        assert isinstance(outcome, dict)
        return outcome

    def call(self, expression: str) -> Any:
        """A call of the SDK: its result, or its error."""
        return self.page.evaluate(f"outcome({expression})")

    def token(self, audience: str | None = None, cache: str = "off") -> Any:
        """`getTokenSilently`, in full."""
        parameters = f'{{audience: "{audience}", scope: "read:messages"}}' if audience else "{}"
        return self.call(
            f'client.getTokenSilently({{detailedResponse: true, cacheMode: "{cache}", '
            f"authorizationParams: {parameters}}})"
        )

    @property
    def email(self) -> str | None:
        """The user's, if there is one."""
        return self.call("client.getUser().then(user => user?.email ?? null)")


def answer_pages(page: Page, email: str = ALICE) -> None:
    """Log in, and consent."""
    enter_password(page, email, PASSWORD)
    by_test_id(page, "tenant-accept").click()


def decoded(jwt: str) -> dict[str, Any]:
    """The claims of a JWT, unchecked."""
    part = jwt.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert isinstance(claims, dict)
    return claims
