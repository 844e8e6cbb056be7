"""The Account page: where one is logged in, and logging out there."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from app.auth.session import hash_session_id

from ..cookies import session_cookie
from .conftest import NewPerson
from .stack import Stack
from .test_attacks import SCOPED, event, speak, tab_token
from .walk import ALICE, BOB, by_test_id, log_in, log_out, open_profile, shown_metadata

ACCOUNT = f"{SCOPED}.app___pages___account____account_state"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
)


def open_account(page: Page, stack: Stack) -> None:
    """Follow the app's own link."""
    page.get_by_role("link", name="Account", exact=True).click()
    page.wait_for_url(f"{stack.url}/account")
    expect(by_test_id(page, "device").first).to_be_visible()


def end_all_but_this(page: Page, stack: Stack) -> None:
    """Log in with nothing left over from other tests."""
    log_in(page, stack, ALICE)
    open_account(page, stack)
    if by_test_id(page, "end-others").is_visible():
        by_test_id(page, "end-others").click()
    expect(by_test_id(page, "device")).to_have_count(1)


def test_times_of_the_reader(new_person: NewPerson, stack: Stack) -> None:
    """Times are in the language and the time zone of the reader's browser."""
    shown = {}
    for locale, timezone_id in (("de-DE", "Asia/Tokyo"), ("en-US", "America/New_York")):
        person = new_person(locale=locale, timezone_id=timezone_id)
        log_in(person, stack, ALICE)
        open_account(person, stack)
        time = by_test_id(person, "device").first.locator("time")
        at = datetime.fromisoformat(time.get_attribute("datetime") or "")
        assert at.utcoffset() == timedelta(0)
        shown[locale] = (time.inner_text(), at.astimezone(ZoneInfo(timezone_id)))
    text, at = shown["de-DE"]
    assert text.startswith(f"{at.day}. ")
    assert text.endswith(f"{at:%H:%M}")
    text, at = shown["en-US"]
    assert f" {at.day}, {at.year}" in text
    assert text.endswith((" AM", " PM", "\u202fAM", "\u202fPM"))


def test_end_one(new_person: NewPerson, stack: Stack) -> None:
    """Each login is listed by browser and platform, this one marked. Ending one logs its open tab
    out without a reload; this browser and other people stay logged in."""
    laptop, phone, bob = new_person(), new_person(user_agent=PHONE), new_person()
    end_all_but_this(laptop, stack)
    log_in(phone, stack, ALICE)
    open_profile(phone, stack)
    shown_metadata(phone)
    log_in(bob, stack, BOB)
    open_account(bob, stack)
    laptop.reload()
    devices = by_test_id(laptop, "device")
    expect(devices).to_have_count(2)
    expect(devices.first).to_contain_text("this browser")
    expect(devices.last).to_contain_text("Mobile Safari on iOS")
    by_test_id(laptop, "end-device").click()
    expect(phone.get_by_text("You are not logged in.")).to_be_visible()
    expect(by_test_id(phone, "user-metadata")).to_have_count(0)
    expect(devices).to_have_count(1)
    for page in (laptop, bob):
        page.reload()
        expect(by_test_id(page, "logout")).to_be_visible()


def test_end_others(new_person: NewPerson, stack: Stack) -> None:
    """Logging out everywhere else ends every other session of the user: their cookies give nothing
    any more, and it takes the password to come back there."""
    here, one, two = new_person(), new_person(), new_person()
    end_all_but_this(here, stack)
    for page in (one, two):
        log_in(page, stack, ALICE)
    here.reload()
    expect(by_test_id(here, "device")).to_have_count(3)
    by_test_id(here, "end-others").click()
    expect(by_test_id(here, "device")).to_have_count(1)
    for page in (one, two):
        page.goto(f"{stack.url}/profile")
        page.wait_for_url("**/u/login**")
        answer = page.request.get(f"{stack.api_url}/auth/profile", headers={"X-CSRF": "1"})
        assert answer.status == 401


def test_live_list(new_person: NewPerson, stack: Stack) -> None:
    """The list that is open in one browser follows what begins and ends in others."""
    laptop, phone, tablet = new_person(), new_person(), new_person()
    end_all_but_this(laptop, stack)
    for count, page in enumerate((phone, tablet), start=2):
        log_in(page, stack, ALICE)
        expect(by_test_id(laptop, "device")).to_have_count(count)
    log_out(tablet, stack)
    expect(by_test_id(laptop, "device")).to_have_count(2)
    by_test_id(laptop, "end-device").click()
    expect(by_test_id(laptop, "device")).to_have_count(1)
    expect(phone.get_by_role("link", name="Account")).to_have_count(0)


def test_sessions_of_others(new_person: NewPerson, stack: Stack) -> None:
    """The name of somebody else's session, even if it is known, ends nothing."""
    alice, bob = new_person(), new_person()
    log_in(alice, stack, ALICE)
    log_in(bob, stack, BOB)
    (cookie,) = (c for c in bob.context.cookies() if c["name"] == session_cookie(stack.url))
    ref = hash_session_id(cookie["value"])
    device_id = hashlib.sha256(f"device\0{ref}".encode()).hexdigest()[:16]
    speak(alice, stack, tab_token(alice), event(f"{ACCOUNT}.end", device_id=device_id))
    open_account(bob, stack)
    speak(bob, stack, tab_token(bob), event(f"{ACCOUNT}.end", device_id="0" * 16))
    bob.reload()
    expect(by_test_id(bob, "device").first).to_be_visible()


def test_recent_activity(new_person: NewPerson, stack: Stack) -> None:
    """A user's logins and logouts are listed, also as they happen in other browsers, with the place
    of each, and never another user's."""
    alice, phone, bob = new_person(), new_person(user_agent=PHONE), new_person()
    end_all_but_this(alice, stack)
    log_in(phone, stack, ALICE)
    newest = by_test_id(alice, "activity").first
    expect(newest).to_contain_text("Logged in")
    expect(newest).to_contain_text("Mobile Safari on iOS from 127.0.0.1")
    by_test_id(alice, "end-device").click()
    expect(newest).to_contain_text("Logged out from another browser")
    log_in(bob, stack, BOB)
    open_account(bob, stack)
    expect(by_test_id(bob, "activity").first).to_contain_text("this browser")
    expect(by_test_id(bob, "activity").filter(has_text="Mobile Safari")).to_have_count(0)
