"""What somebody tries who has a tab's token, a copied cookie, or a page of their own."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ..cookies import session_cookie
from .conftest import NewPerson
from .stack import Stack
from .walk import ALICE, BOB, by_test_id, log_in, log_out, open_profile, shown_metadata

# A client of one's own: connects as a tab, sends events, and returns what comes back in a second.
SOCKET = """
([url, events]) => new Promise(resolve => {
  const frames = [], socket = new WebSocket(url);
  const end = () => { socket.close(); resolve(frames); };
  socket.onmessage = ({data}) => {
    frames.push(data);
    if (data.startsWith("44")) end();
    if (data.startsWith("0")) socket.send("40/_event,");
    if (data.startsWith("40")) {
      for (const event of events) socket.send("42/_event," + JSON.stringify(["event", event]));
      setTimeout(end, 1000);
    }
  };
  socket.onclose = () => { frames.push("closed"); resolve(frames); };
})
"""
NEW = "5bd4b8c8-1b8e-4d5c-9a53-0d6b9a1c2f3e"  # a token as a new tab makes itself
STATE = "reflex___state____state"
AUTH = f"{STATE}.app___auth___reflex___state____auth_state"
SCOPED = f"{STATE}.app___auth___reflex___state____user_scoped_state"
PROFILE = f"{SCOPED}.app___pages___profile____profile_state"
HYDRATE = {"name": f"{STATE}.hydrate_and_load", "payload": {}, "router_data": {"pathname": "/"}}


def event(name: str, **payload: Any) -> dict[str, Any]:
    """An event as the websocket carries it."""
    return {"name": name, "payload": payload, "router_data": {"pathname": "/profile"}}


def speak(page: Page, stack: Stack, token: str, *events: dict[str, Any]) -> str:
    """Everything that the backend answers to these events on a socket of our own."""
    address = stack.api_url.replace("http", "ws", 1)
    url = f"{address}/_event/?token={token}&EIO=4&transport=websocket"
    return "\n".join(page.evaluate(SOCKET, [url, list(events)]))


def tab_token(page: Page) -> str:
    """The token that names a tab; it stands in URLs and is no secret."""
    return str(page.evaluate("sessionStorage.getItem('token')"))


def test_stolen_tab_token(new_person: NewPerson, stack: Stack) -> None:
    """A tab's token without its session shows nothing of the user."""
    stack.tenant.set_metadata(ALICE, '{"private": "of alice"}')
    alice, thief = new_person(), new_person()
    log_in(alice, stack)
    open_profile(alice, stack)
    shown_metadata(alice)
    token = tab_token(alice)
    alice.close()
    thief.goto(stack.url)
    heard = speak(thief, stack, token, HYDRATE, event(f"{PROFILE}.get_user_metadata"))
    assert "rx_state_" in heard
    for text in ("alice", "Alice", "private"):
        assert text not in heard


@pytest.mark.parametrize(
    "forged",
    [
        event(f"{PROFILE}.get_user_metadata", user={"sub": "auth0|somebody"}),
        event(f"{AUTH}.setvar", var_name="is_authenticated", value=True),
        event(f"{AUTH}.setvar", var_name="user", value={"name": "Mallory"}),
        event(f"{AUTH}.set_user", value={"name": "Mallory"}),
        event(f"{STATE}.update_vars_internal_state.update_vars_internal", vars={f"{AUTH}.user": 1}),
    ],
    ids=["argument of a subscriber", "setvar flag", "setvar user", "setter", "client storage"],
)
def test_forged_event(person: Page, stack: Stack, forged: dict[str, Any]) -> None:
    """No event with arguments of one's own makes somebody of nobody."""
    person.goto(stack.url)
    again = {**HYDRATE, "payload": {}}
    heard = speak(person, stack, NEW, HYDRATE, forged, again)
    assert "Mallory" not in heard
    assert '"is_authenticated_rx_state_":true' not in heard


def test_websocket_of_another_origin(person: Page, stack: Stack) -> None:
    """A page on another port of this machine cannot listen in, though the cookie would be sent."""
    log_in(person, stack)
    person.goto(f"{stack.tenant.url}/dashboard")
    # The tenant's own policy forbids connections; an attacker's page has none.
    person.route("**/evil", lambda route: route.fulfill(body="<h1>evil</h1>"))
    person.goto(f"{stack.tenant.url}/evil")
    assert speak(person, stack, NEW, HYDRATE) == "closed"


def test_copied_cookie_after_logout(new_person: NewPerson, stack: Stack) -> None:
    """A cookie that was copied before the logout is worth nothing after it."""
    alice, thief = new_person(), new_person()
    log_in(alice, stack)
    copied = [c for c in alice.context.cookies() if c["name"] == session_cookie(stack.url)]
    log_out(alice, stack)
    thief.context.add_cookies(copied)  # type: ignore[arg-type]
    thief.goto(f"{stack.url}/profile")
    thief.wait_for_url("**/u/login**")


def test_revoked_while_open(person: Page, stack: Stack, new_person: NewPerson) -> None:
    """A session that ends elsewhere is gone from an open tab at its next event."""
    log_in(person, stack, BOB)
    open_profile(person, stack)
    copied = [c for c in person.context.cookies() if c["name"] == session_cookie(stack.url)]
    elsewhere = new_person()
    elsewhere.context.add_cookies(copied)  # type: ignore[arg-type]
    elsewhere.goto(f"{stack.url}/")
    by_test_id(elsewhere, "logout").click()
    expect(by_test_id(person, "user-metadata")).to_have_count(0)
    expect(person.get_by_text("You are not logged in.")).to_be_visible()
