"""A browser that does not send the session cookie with websockets."""

from __future__ import annotations

from playwright.sync_api import Page, Request, expect

from .stack import Stack
from .walk import by_test_id, sign_in

# As where page and backend are two sites: no cookie goes along.
ANOTHER_SITE = """
    const Own = WebSocket;
    window.WebSocket = function (url, protocols) {
        return new Own(String(url).replace("localhost", "127.0.0.1"), protocols);
    };
"""


def test_cookie_is_not_sent(person: Page, stack: Stack) -> None:
    """A guarded page goes to the login by itself. If the cookie of two logins in a row did not come
    along with its websocket, a page says so, and the browser goes nowhere."""
    logins: list[str] = []

    def count(request: Request) -> None:
        if "/auth/login" in request.url:
            logins.append(request.url)

    person.on("request", count)
    person.add_init_script(ANOTHER_SITE)
    person.goto(f"{stack.url}/profile")
    sign_in(person, stack)
    title = "Your browser does not send the cookie"
    expect(by_test_id(person, "auth-error")).to_have_text(title)
    person.wait_for_timeout(1000)  # in which nothing happens
    assert len(logins) == 3
    tab = person.context.new_page()  # which sends it
    tab.goto(f"{stack.url}/profile")
    expect(by_test_id(tab, "user-name")).to_be_visible()
