"""The way between browsers and backends is gone for a while; nothing behind it has changed."""

from __future__ import annotations

import httpx
from playwright.sync_api import expect

from ..cookies import session_cookie
from ..e2e.conftest import NewPerson
from ..e2e.walk import ALICE, BOB, by_test_id, expect_editor, on_profile
from .fleet import Fleet


def test_click_while_the_network_is_gone(new_person: NewPerson, fleet: Fleet) -> None:
    """A click made while nothing reaches the backends is carried out when the network is back, for
    the one who made it; everybody is who they were."""
    fleet.tenant.set_metadata(ALICE, '{"color": "blue"}')
    fleet.tenant.set_metadata(BOB, '{"color": "grey"}')
    alice, bob = new_person(), new_person()
    on_profile(alice, fleet.stack, ALICE)
    on_profile(bob, fleet.stack, BOB)
    fleet.nginx.stop()
    try:
        by_test_id(alice, "edit-metadata").click()
    finally:
        fleet.nginx.start()
    expect_editor(alice, "Alice", "blue")
    by_test_id(bob, "edit-metadata").click()
    expect_editor(bob, "Bob", "grey")


def test_ended_while_the_network_was_gone(new_person: NewPerson, fleet: Fleet) -> None:
    """A tab that could not be told of the end of its session is nobody's when the network is back,
    and a click that was waiting does nothing."""
    fleet.tenant.set_metadata(ALICE, '{"color": "blue"}')
    person = new_person()
    on_profile(person, fleet.stack, ALICE)
    (handle,) = (
        c["value"] for c in person.context.cookies() if c["name"].startswith("auth_session_")
    )
    by_test_id(person, "edit-metadata").click()
    by_test_id(person, "metadata-editor").fill('{"color": "late"}')
    fleet.nginx.stop()
    try:
        by_test_id(person, "save-metadata").click()
        ended = httpx.post(
            f"http://127.0.0.1:{fleet.ports[0]}/auth/logout",
            headers={"Origin": fleet.url, "Cookie": f"{session_cookie(fleet.url)}={handle}"},
            trust_env=False,
        )
        assert ended.status_code == 303
    finally:
        fleet.nginx.start()
    expect(person.get_by_text("What you did last was not carried out")).to_be_visible(timeout=15000)
    expect(by_test_id(person, "login").first).to_be_visible()
    assert fleet.tenant.metadata(ALICE) == '{"color": "blue"}'
