"""Components that fetch through proxied routes, in real browsers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ...servers import free_port
from ..conftest import NewPerson
from ..orders_api import OrdersApi
from ..routes.conftest import served
from ..stack import Stack
from ..walk import ALICE, BOB, sign_in

ALICE_SUB, BOB_SUB = "auth0|65a4f1c2d3e4b5a697887901", "auth0|65a4f1c2d3e4b5a697887902"
SIZE = 9 * 2**20

# What the component does, from a page of another origin. The value says what became of each.
FOREIGN = """async (app) => {
  const inTime = (attempt) => Promise.race([
    attempt, new Promise((resolve) => setTimeout(resolve, 5000, "no answer")),
  ]);
  const attempt = (url, options) =>
    inTime(fetch(app + url, options).then((r) => r.type, (e) => e.name));
  const image = () => inTime(new Promise((resolve) => {
    const element = new Image();
    element.onload = () => resolve("loaded");
    element.onerror = () => resolve("error");
    element.src = app + "/api/logo.png";
  }));
  const events = () => inTime(new Promise((resolve) => {
    const source = new EventSource(app + "/api/events", { withCredentials: true });
    source.onopen = () => resolve("open");
    source.onerror = () => { source.close(); resolve("error"); };
  }));
  const own = { credentials: "include" };
  const proof = { "X-CSRF": "1" };
  const order = { ...own, method: "POST", body: '{"item": "x"}' };
  return {
    read: await attempt("/api/orders", own),
    "read with the header": await attempt("/api/orders", { ...own, headers: proof }),
    write: await attempt("/api/orders", order),
    "write with the header": await attempt("/api/orders", { ...order, headers: proof }),
    upload: await attempt("/api/files/x", { ...own, method: "PUT", body: "x" }),
    blind: await attempt("/api/orders", { ...own, mode: "no-cors" }),
    image: await image(),
    events: await events(),
  };
}"""


@pytest.fixture(autouse=True)
def _no_orders(notes: Stack, orders_api: OrdersApi) -> None:
    """Each test begins without orders, and with a request for consent."""
    notes.tenant.forget_consents()
    orders_api.forget()


@pytest.fixture
def foreign() -> Iterator[str]:
    """A page on another port of this machine: the browser sends its requests with the cookie."""
    port = free_port()
    with served(port, "<!doctype html><p>Another page</p>"):
        yield f"http://localhost:{port}"


def open_orders(page: Page, notes: Stack, email: str) -> None:
    """Log in, and have the component in view with what it has fetched."""
    page.goto(f"{notes.url}/orders")
    page.get_by_role("link", name="log in").click()
    sign_in(page, notes, email)
    expect(page.locator("#orders")).to_contain_text("auth0|")


def shown(page: Page) -> Any:
    """What the component shows."""
    return json.loads(page.locator("#orders").inner_text())


def test_component(person: Page, notes: Stack, orders_api: OrdersApi, tmp_path: Path) -> None:
    """A component's script reads, writes, uploads and follows events, an image and a download link
    work, and each request has the user's token at the API."""
    person.goto(f"{notes.url}/orders")
    expect(person.locator("#orders")).to_have_text("401 login_required")
    open_orders(person, notes, ALICE)
    assert shown(person) == {"user": ALICE_SUB, "items": []}
    person.get_by_role("button", name="add").click()
    expect(person.locator("#orders")).to_contain_text("tea")
    big = tmp_path / "orders 2026.bin"
    big.write_bytes(b"x" * SIZE)
    person.set_input_files("#file", big)
    expect(person.locator("#orders")).to_contain_text("bytes")
    assert shown(person) == {"user": ALICE_SUB, "name": big.name, "bytes": SIZE}
    person.wait_for_function("document.querySelector('#logo').naturalWidth === 1")
    with person.expect_download() as download:
        person.get_by_role("link", name="report").click()
    assert download.value.suggested_filename == "report.csv"
    assert download.value.path().read_text() == f"user\n{ALICE_SUB}\n"
    person.get_by_role("button", name="follow").click()
    heard = person.locator("#heard")
    expect(heard).to_have_text(f"first of {ALICE_SUB}")  # streamed: the second is not sent yet
    orders_api.go_on()
    expect(heard).to_contain_text(f"second of {ALICE_SUB}")
    assert {line.rpartition(" ")[2] for line in orders_api.asked} == {ALICE_SUB}


def test_logout(person: Page, notes: Stack, orders_api: OrdersApi) -> None:
    """After a logout in another tab, the events that a component follows end, and each of its
    requests is refused with 401, which it shows. None of them reaches the API."""
    open_orders(person, notes, ALICE)
    person.get_by_role("button", name="follow").click()
    expect(person.locator("#heard")).to_have_text(f"first of {ALICE_SUB}")
    other = person.context.new_page()
    other.goto(f"{notes.url}/orders")
    expect(other.locator("#orders")).to_contain_text(ALICE_SUB)
    other.get_by_role("button", name="log out").click()
    other.wait_for_url(f"{notes.url}/")
    orders_api.asked.clear()
    for name in ("look", "add"):
        with person.expect_response("**/api/orders") as answered:
            person.get_by_role("button", name=name).click()
        assert answered.value.status == 401
        expect(person.locator("#orders")).to_have_text("401 login_required")
    expect(person.locator("#heard")).to_have_text(re.compile("closed: 2$"), timeout=20_000)
    assert orders_api.asked == []


def test_two_users(new_person: NewPerson, notes: Stack, orders_api: OrdersApi) -> None:
    """Two users in two browsers, at once: each reads and writes as themselves."""
    alice, bob = new_person(), new_person()
    for page, email in ((alice, ALICE), (bob, BOB)):
        open_orders(page, notes, email)
    many = """() => { window.answers = Promise.all(Array.from({length: 20}, (_, n) => fetch(
      "/api/orders", { method: n % 2 ? "GET" : "POST", body: n % 2 ? undefined : '{"item": "x"}',
      headers: { "X-CSRF": "1", "Content-Type": "application/json" } }).then((r) => r.json()))) }"""
    for page in (alice, bob):
        page.evaluate(many)
    for page, sub in ((alice, ALICE_SUB), (bob, BOB_SUB)):
        assert {each["user"] for each in page.evaluate("window.answers")} == {sub}
    assert {sub: len(orders) for sub, orders in orders_api.orders.items()} == {
        ALICE_SUB: 10,
        BOB_SUB: 10,
    }


def test_foreign_page(person: Page, notes: Stack, orders_api: OrdersApi, foreign: str) -> None:
    """A page of another port, whose requests have the cookie, reads and changes nothing."""
    open_orders(person, notes, ALICE)
    orders_api.asked.clear()
    person.goto(f"{foreign}/")
    outcomes = person.evaluate(FOREIGN, notes.url)
    assert outcomes["blind"] == "opaque", outcomes
    assert outcomes.pop("blind") == "opaque"  # neither status nor body can be read
    assert outcomes.pop("image") == outcomes.pop("events") == "error"
    assert set(outcomes.values()) == {"TypeError"}
    assert orders_api.asked == []
