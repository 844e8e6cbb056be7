"""Several backends as one app: what one knows the others know, and any of them may die."""

from __future__ import annotations

import time

from playwright.sync_api import BrowserContext, Page, TimeoutError, expect
from redis import Redis

from ..e2e.conftest import NewPerson
from ..e2e.walk import ALICE, BOB, by_test_id, log_in, log_out, open_profile, shown_metadata
from ..servers import wait_until
from .fleet import Fleet

TABS = 4  # so many that each backend has some
CSRF = {"X-CSRF": "1"}
STOPPED = 20.0  # seconds for which Redis is away


def open_tabs(context: BrowserContext, fleet: Fleet, count: int = TABS) -> list[Page]:
    """Profiles in further tabs of a browser, each with a websocket of its own."""
    tabs = []
    for _ in range(count):
        tab = context.new_page()
        tab.goto(f"{fleet.url}/profile")
        shown_metadata(tab)
        tabs.append(tab)
    return tabs


def test_every_backend_knows(new_person: NewPerson, fleet: Fleet) -> None:
    """A login at one backend is a login at the other."""
    person = new_person()
    log_in(person, fleet.stack)
    expect(by_test_id(person, "logout")).to_be_visible()
    for _ in range(10):
        answer = person.request.get(f"{fleet.url}/auth/profile", headers=CSRF)
        assert answer.json()["email"] == ALICE
    log = (fleet.directory / "access.log").read_text()
    used = {line.split()[0] for line in log.splitlines() if "/auth/profile" in line}
    assert used == {f"127.0.0.1:{port}" for port in fleet.ports}


def test_pushes_reach_every_backend(new_person: NewPerson, fleet: Fleet) -> None:
    """Metadata saved in one tab is shown in all of the user's tabs, and a logout in one is seen by
    all, whichever backends they are connected to; somebody else's tabs stay as they are."""
    alice, bob = new_person(), new_person()
    fleet.tenant.set_metadata(ALICE, '{"color": "blue"}')
    fleet.tenant.set_metadata(BOB, '{"color": "grey"}')
    for page, email in ((alice, ALICE), (bob, BOB)):
        log_in(page, fleet.stack, email)
        open_profile(page, fleet.stack)
        shown_metadata(page)
    tabs, others = open_tabs(alice.context, fleet), open_tabs(bob.context, fleet)
    by_test_id(alice, "edit-metadata").click()
    by_test_id(alice, "metadata-editor").fill('{"color": "green"}')
    by_test_id(alice, "save-metadata").click()
    for tab in (alice, *tabs):
        expect(by_test_id(tab, "user-metadata")).to_contain_text("green")
    log_out(alice, fleet.stack)
    for tab in tabs:
        expect(tab.get_by_text("You are not logged in.")).to_be_visible()
    for tab in others:
        assert shown_metadata(tab) == {"color": "grey"}
    for page in (*tabs, *others):
        page.close()
    wait_until(lambda: len(set(fleet.websockets())) == 2, 10.0, lambda: "one backend had them all")


def test_nothing_readable_in_redis(new_person: NewPerson, fleet: Fleet) -> None:
    """Redis holds sessions, and the states that Reflex pickles there, without any cookie, token or
    `sub` of a session's record in them."""
    person = new_person()
    log_in(person, fleet.stack)
    open_profile(person, fleet.stack)
    shown_metadata(person)
    (handle,) = (
        c["value"] for c in person.context.cookies() if c["name"].startswith("auth_session_")
    )
    with Redis.from_url(fleet.redis_url) as redis:
        held = {key: everything_in(redis, key) for key in redis.scan_iter()}
    assert any(key.startswith(b"auth:session:") for key in held)
    states = [value for key, value in held.items() if not key.startswith(b"auth:")]
    assert any(b"alice@example.com" in value for value in states)
    for value in held.values():
        assert handle.encode() not in value
        assert b"auth_session" not in value
        assert b"eyJ" not in value  # how a JWT begins
    for key, value in held.items():
        assert not (key.startswith(b"auth:") and b"alice" in value)


def is_editing(tab: Page) -> bool:
    """Press the button, if it is there at this moment; whether the editor opens."""
    tab.evaluate("document.querySelector('[data-testid=edit-metadata]')?.click()")
    try:
        by_test_id(tab, "metadata-editor").wait_for(timeout=3_000)
    except TimeoutError:
        return False
    return True


def everything_in(redis: Redis, key: bytes) -> bytes:
    """A key's name and value, whatever type it is of."""
    match redis.type(key):
        case b"string":
            return key + (redis.get(key) or b"")
        case b"hash":
            return key + b"".join(part for item in redis.hgetall(key).items() for part in item)
        case b"zset":
            return key + b"".join(redis.zrange(key, 0, -1))
    return key


def test_a_backend_is_killed(new_person: NewPerson, fleet: Fleet) -> None:
    """When one backend is killed with -9, its tabs go on at the other one, and nobody is logged
    out; it takes its share again when it is back."""
    alice, bob = new_person(), new_person()
    fleet.tenant.set_metadata(ALICE, '{"color": "blue"}')
    for page, email in ((alice, ALICE), (bob, BOB)):
        log_in(page, fleet.stack, email)
        open_profile(page, fleet.stack)
        shown_metadata(page)
    tabs = open_tabs(alice.context, fleet)
    fleet.backends[0].kill()
    try:
        fleet.tenant.set_metadata(ALICE, '{"color": "orange"}')
        for tab in (alice, *tabs):
            # A click that was on its way to the killed process is lost; the user clicks again.
            wait_until(lambda tab=tab: is_editing(tab), 15.0)
            expect(by_test_id(tab, "user-name")).to_contain_text("Alice")
        bob.reload()
        expect(by_test_id(bob, "user-name")).to_contain_text("Bob")
        for _ in range(10):
            answer = alice.request.get(f"{fleet.url}/auth/profile", headers=CSRF)
            assert answer.json()["email"] == ALICE
    finally:
        fleet.backends[0].start()


def test_redis_is_away(new_person: NewPerson, fleet: Fleet) -> None:
    """While Redis is stopped, requests get 503 with Retry-After and no cookie is touched; when it
    is back, everybody is still logged in and the open tab goes on."""
    person = new_person()
    log_in(person, fleet.stack)
    open_profile(person, fleet.stack)
    shown_metadata(person)
    cookies = person.context.cookies(fleet.url)
    fleet.redis.stop()
    try:
        deadline = time.monotonic() + STOPPED
        while time.monotonic() < deadline:
            for path in ("/auth/profile", "/auth/health"):
                answer = person.request.get(f"{fleet.url}{path}", headers=CSRF)
                assert answer.status == 503
                assert int(answer.headers["retry-after"]) > 0
                assert "set-cookie" not in answer.headers
    finally:
        fleet.redis.start()
    wait_until(
        lambda: person.request.get(f"{fleet.url}/auth/profile", headers=CSRF).status == 200, 20.0
    )
    assert person.context.cookies(fleet.url) == cookies
    by_test_id(person, "edit-metadata").click()
    expect(by_test_id(person, "metadata-editor")).to_be_visible()
    other = person.context.new_page()
    other.goto(f"{fleet.url}/profile")
    shown_metadata(other)
    log_out(other, fleet.stack)
    expect(person.get_by_text("You are not logged in.")).to_be_visible()
