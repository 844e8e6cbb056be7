"""Routes in a browser whose page is on another port than the backend, as in development."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from ..orders_api import OrdersApi
from ..stack import Stack
from ..walk import ALICE, sign_in

FETCH = """async ([url, method]) => {
  const headers = { "content-type": "application/json" };
  const body = method === "POST" ? '{"item": "tea"}' : undefined;
  const answer = await fetch(url, { method, headers, body, credentials: "include" });
  return [answer.status, await answer.json()];
}"""

PROXIED = """async (api) => {
  const own = { credentials: "include", headers: { "X-CSRF": "1" } };
  const json = { ...own.headers, "Content-Type": "application/json" };
  const order = { ...own, method: "POST", headers: json, body: '{"item": "tea"}' };
  const ask = (options) =>
    fetch(`${api}/orders`, options).then((r) => r.json()).then((o) => o.items, (e) => e.name);
  const image = new Image();
  const source = new EventSource(`${api}/events`, { withCredentials: true });
  const heard = new Promise((resolve) => {
    source.onmessage = () => { source.close(); resolve("event"); };
    source.onerror = () => { source.close(); resolve("error"); };
  });
  const drawn = new Promise((resolve) => {
    image.onload = () => resolve("image");
    image.onerror = () => resolve("error");
  });
  image.crossOrigin = "use-credentials";
  image.src = `${api}/logo.png`;
  return [await ask(own), await ask(order), await drawn, await heard];
}"""


def test_two_origins(person: Page, routes: Stack, foreign: str) -> None:
    """The page's link leads to the login, back to the page, and then to the download; its script
    may ask and change. A page on a third port may do neither."""
    person.goto(f"{routes.url}/orders")
    status, refused = person.evaluate(FETCH, [f"{routes.api_url}/api/session", "GET"])
    assert (status, refused) == (200, None)
    person.get_by_role("link", name="Export").click()
    sign_in(person, routes, ALICE)
    with person.expect_download() as download:
        person.get_by_role("link", name="Export").click()
    assert download.value.suggested_filename == "export.csv"
    assert download.value.path().read_text() == "name\nalice\n"
    me = person.evaluate(FETCH, [f"{routes.api_url}/api/me", "GET"])
    assert me == [200, {"nickname": "alice"}]
    ordered = person.evaluate(FETCH, [f"{routes.api_url}/api/orders", "POST"])
    assert ordered == [200, "tea for alice"]
    person.goto(f"{foreign}/")
    for path, method in (("/api/me", "GET"), ("/api/orders", "POST")):
        failed = person.evaluate(
            f"arguments => ({FETCH})(arguments).catch(error => error.name)",
            [f"{routes.api_url}{path}", method],
        )
        assert failed == "TypeError"


def test_form_of_another_port(person: Page, routes: Stack, foreign: str) -> None:
    """A form of another port, with which the browser sends the cookie, is refused."""
    person.goto(f"{routes.url}/")
    person.get_by_role("link", name="Export").click()
    sign_in(person, routes, ALICE)
    person.goto(f"{foreign}/")
    with person.expect_navigation():
        person.evaluate(
            """url => {
              const form = document.createElement("form");
              form.method = "post";
              form.action = url;
              document.body.append(form);
              form.submit();
            }""",
            f"{routes.api_url}/api/orders",
        )
    expect(person.get_by_text("foreign_origin")).to_be_visible()


def test_proxied_from_two_origins(
    person: Page, routes: Stack, foreign: str, orders_api: OrdersApi
) -> None:
    """From a page on another port than the backend, scripts, images and event streams reach the API
    through a proxied route. From a page on a third port they do not."""
    api = f"{routes.api_url}/proxied"
    person.goto(f"{routes.url}/")
    person.get_by_role("link", name="Export").click()
    sign_in(person, routes, ALICE)
    assert person.evaluate(PROXIED, api) == [[], ["tea"], "image", "event"]
    orders_api.forget()
    person.goto(f"{foreign}/")
    assert person.evaluate(PROXIED, api) == ["TypeError", "TypeError", "error", "error"]
    assert orders_api.asked == []
