"""What a visitor clicked before the login: when it is done after it, and when it is not."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from ..cookies import browser_cookie, session_cookie
from ..e2e.stack import Tenant, tenant_process
from .conftest import Walked, running
from .product import ALICE, BOB, FORMS
from .raw_tab import STATE, RawTab, opened_under_its_token

APP = f"{STATE}.access_app___access_app____"
AUTH_STATE = f"{STATE}.access_app___auth___reflex___state____auth_state"
WISH = f"{APP}wishes.wish"
LINK = re.compile(r'url\); }\)\(\\"(http://localhost:\d+/auth/login\?[^"\\]*)')
SECRET_TEXT = "a-wish-that-is-nobodys-business"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """The app with a tenant."""
    directory = tmp_path_factory.mktemp("replay")
    tenants: list[Tenant] = []

    def tenant(url: str) -> str:
        tenants.append(tenant_process(directory, app_url=url))
        tenants[0].server.start()
        return tenants[0].url

    with running(directory, limits="off", tenant=tenant) as app:
        yield app
    tenants[0].server.stop()


class Visitor:
    """A browser: the cookies that it has, and its tabs."""

    def __init__(self, app: Walked) -> None:
        self.app = app
        self.http = httpx.AsyncClient(trust_env=False)
        self.tabs: list[RawTab] = []

    @property
    def handle(self) -> str | None:
        """The session cookie."""
        return self.http.cookies.get(session_cookie(self.app.url))

    async def open(self, page: str = "/") -> RawTab:
        """Open a tab."""
        browser = self.tabs[0].browser if self.tabs else None
        tab = RawTab(self.app.url, self.handle, browser=browser)
        self.tabs.append(tab)
        await tab.connect()
        await tab.load(page)
        self.http.cookies.set(browser_cookie(self.app.url), tab.browser, domain="localhost.local")
        return tab

    async def back(
        self, tab: RawTab, page: str = "/", payload: dict[str, Any] | None = None
    ) -> RawTab:
        """Load a page in this tab, with the cookies that the browser has now."""
        await tab.close()
        token, browser = tab.token, tab.browser
        new = await opened_under_its_token(
            lambda: RawTab(self.app.url, self.handle, token=token, browser=browser),
            RawTab.connect,
        )
        self.tabs.append(new)
        await new.load(page, payload)
        await new.settle()  # what the page has started
        return new

    async def click(self, tab: RawTab, text: str, name: str = WISH, page: str = "/") -> str:
        """Send an event as a visitor; the login link that it led to."""
        heard = len(tab.heard)
        router_data = {"pathname": page, "asPath": page}
        await tab.send(name, {"text": text}, router_data=router_data)
        await tab.settle()
        links = [link for frame in tab.heard[heard:] for link in LINK.findall(frame)]
        assert not any(text in link for link in links)
        return links[-1]

    async def begin(self, link: str) -> httpx.URL:
        """Follow a login link; the URL at the tenant."""
        answer = await self.http.get(link)
        return httpx.URL(answer.headers["location"])

    async def finish(self, url: httpx.URL, email: str = ALICE) -> None:
        """Go through the tenant's pages until the app has answered."""
        while not str(url).startswith(self.app.url):
            url = url.join((await self._answered(url, email)).headers["location"])
        await self.http.get(url)

    async def log_in(self, link: str, email: str = ALICE) -> None:
        """From the link to a session."""
        await self.finish(await self.begin(link), email)
        assert self.handle

    async def decline(self, link: str) -> None:
        """The user does not consent at the tenant."""
        url = await self.begin(link)
        while not str(url).startswith(self.app.url):
            form = {"action": "deny"} if url.path == "/u/consent" else None
            answer = (
                await self.http.post(url, data=form) if form else await self._answered(url, ALICE)
            )
            url = url.join(answer.headers["location"])
        assert "access_denied" in str(url)
        await self.http.get(url)

    async def leave(self, tenant_url: httpx.URL) -> None:
        """Log out at the app and at the tenant."""
        await self.app.log_out(self.handle)
        self.http.cookies.delete(session_cookie(self.app.url))
        await self.http.get(tenant_url.join("/v2/logout?client_id=local-app"))

    async def _answered(self, url: httpx.URL, email: str) -> httpx.Response:
        form = FORMS.get(url.path)
        if form is None:
            return await self.http.get(url)
        return await self.http.post(url, data={**form, "username": email})

    async def close(self) -> None:
        """End all of it."""
        await self.http.aclose()
        for tab in self.tabs:
            await tab.close()


@pytest.fixture
async def visitor(app: Walked) -> AsyncIterator[Visitor]:
    """A browser that nobody has logged in with."""
    visitor = Visitor(app)
    yield visitor
    await visitor.close()


@pytest.fixture
async def other(app: Walked) -> AsyncIterator[Visitor]:
    """Another one."""
    other = Visitor(app)
    yield other
    await other.close()


def since(app: Walked, before: int) -> list[str]:
    """What has run since."""
    return app.lines()[before:]


@pytest.mark.parametrize("name", ["wish", "wish_later"])
async def test_done_once(app: Walked, visitor: Visitor, name: str) -> None:
    """It is done with its arguments in the tab that comes back, once; the record says so, and the
    arguments are neither in the link nor in the store as they are."""
    before, entries = len(app.lines()), len(app.record())
    tab = await visitor.open()
    link = await visitor.click(tab, SECRET_TEXT, f"{APP}wishes.{name}")
    assert SECRET_TEXT.encode() not in stored(app)
    await visitor.log_in(link)
    assert since(app, before) == []
    tab = await visitor.back(tab)
    assert since(app, before) == [f"{name} {SECRET_TEXT}"]
    await visitor.back(await visitor.back(tab))
    assert since(app, before) == [f"{name} {SECRET_TEXT}"]
    assert SECRET_TEXT.encode() not in stored(app)
    (entry,) = (each for each in app.record()[entries:] if each["kind"] == "replayed")
    assert entry["target"] == f"{APP}wishes.{name}"
    assert entry["sub"].startswith("auth0|")
    assert entry["session"]
    assert SECRET_TEXT not in json.dumps(app.record()[entries:])


def stored(app: Walked) -> bytes:
    """All that is in the files of the session store."""
    folder, name = app.store_file.parent, app.store_file.name
    return b"".join(file.read_bytes() for file in folder.glob(f"{name}*"))


async def test_after_on_load(app: Walked, visitor: Visitor) -> None:
    """It is done on the page where it was clicked, after what that page loads; what the page loads
    is not kept itself."""
    tab = await visitor.open("/begun")
    link = await visitor.click(tab, "tea", page="/begun")
    assert "return_to=%2Fbegun" in link
    await visitor.log_in(link)
    before = len(app.lines())
    await (await visitor.back(tab, "/begun")).settle()
    assert since(app, before) == ["begin", "wish on load", "wish tea"]


@pytest.mark.parametrize("what", ["on_load", "chained", "unmarked", "too large"])
async def test_not_kept(app: Walked, visitor: Visitor, what: str) -> None:
    """What no click has sent, what is not marked, and what is larger than 8 KiB is not kept: its
    login link has no id."""
    tab = await visitor.open("/begun" if what == "on_load" else "/")
    await tab.settle()
    if what == "on_load":
        link = next(link for frame in tab.heard for link in LINK.findall(frame))
    elif what == "chained":
        link = await visitor.click(tab, "tea", f"{APP}wishes.wish_for")
    elif what == "unmarked":
        link = await visitor.click(tab, "tea", f"{APP}guarded.write")
    else:
        link = await visitor.click(tab, "x" * 8192)
    assert "replay" not in link
    before = len(app.lines())
    await visitor.log_in(link)
    await visitor.back(tab)
    assert since(app, before) == []


async def test_other_tab(app: Walked, visitor: Visitor) -> None:
    """Another tab of the browser does not do it, also when it is there first."""
    tab, second = await visitor.open(), await visitor.open()
    before = len(app.lines())
    await visitor.log_in(await visitor.click(tab, "tea"))
    await visitor.back(await visitor.back(second))
    assert since(app, before) == []
    await visitor.back(tab)
    assert since(app, before) == ["wish tea"]


async def test_link_in_another_browser(app: Walked, visitor: Visitor, other: Visitor) -> None:
    """A link that another browser follows, after a foreign page for example, makes nothing run
    there: not for its own tab, and not in a tab of the same token."""
    tab, victim = await visitor.open(), await other.open()
    link = await visitor.click(tab, "tea")
    before = len(app.lines())
    await other.log_in(link, BOB)
    await other.back(victim)
    await tab.close()
    same = RawTab(app.url, other.handle, token=tab.token, browser=victim.browser)
    other.tabs.append(same)
    await same.open()
    await same.settle()
    assert since(app, before) == []


async def test_planted_browser_cookie(app: Walked, visitor: Visitor, other: Visitor) -> None:
    """Also where the attacker has planted the browser cookie, the victim's tab does nothing."""
    tab, victim = await visitor.open(), await other.open()
    link = await visitor.click(tab, "tea")
    other.http.cookies.set(browser_cookie(app.url), tab.browser, domain="localhost.local")
    before = len(app.lines())
    await other.log_in(link, BOB)
    await other.back(victim)
    assert since(app, before) == []


async def test_id_twice(app: Walked, visitor: Visitor) -> None:
    """An id is for one login: a second one with it has nothing to do."""
    tab = await visitor.open()
    link = await visitor.click(tab, "tea")
    before = len(app.lines())
    url = await visitor.begin(link)
    second = await visitor.begin(link)
    await visitor.finish(second)
    tab = await visitor.back(tab)
    assert since(app, before) == []
    await visitor.finish(url)
    await visitor.back(tab)
    assert since(app, before) == ["wish tea"]


async def test_forged(app: Walked, visitor: Visitor) -> None:
    """Nothing that the link says beside the id counts, and no other id is worth anything."""
    tab = await visitor.open()
    link = await visitor.click(tab, "tea")
    kept = httpx.URL(link).params["replay"]
    before = len(app.lines())
    forged: list[dict[str, Any]] = [
        {"replay": each} for each in ("", "x", "A" * 43, kept[:-1], f"{kept} ", kept.swapcase())
    ]
    for each in forged:
        await visitor.log_in(f"{app.url}/auth/login?{httpx.QueryParams(each)}")
        tab = await visitor.back(tab)
    assert since(app, before) == []
    more = {"replay": kept, "text": "coffee", "payload": '{"text": "coffee"}', "name": WISH}
    await visitor.log_in(f"{app.url}/auth/login?{httpx.QueryParams(more)}")
    await visitor.back(tab)
    assert since(app, before) == ["wish tea"]


async def test_declined_then_another_user(app: Walked, visitor: Visitor) -> None:
    """After a login that was declined, it is not done for the user who logs in next."""
    tab = await visitor.open()
    link = await visitor.click(tab, "tea")
    before = len(app.lines())
    await visitor.decline(link.replace("&replay", "&prompt=consent&replay"))
    await visitor.log_in(link, BOB)
    await visitor.back(tab)
    assert since(app, before) == []


async def test_login_of_another(app: Walked, visitor: Visitor) -> None:
    """It is done for the user of its own login only: not for one who logs in otherwise in the same
    tab, before or after it."""
    tab = await visitor.open()
    url = await visitor.begin(await visitor.click(tab, "tea"))
    before = len(app.lines())
    await visitor.log_in(f"{app.url}/auth/login", BOB)
    tab = await visitor.back(tab)
    await visitor.leave(url)
    await visitor.finish(url, ALICE)
    await visitor.leave(url)
    await visitor.log_in(f"{app.url}/auth/login", BOB)
    await visitor.back(tab)
    assert since(app, before) == []


async def test_denied_by_rule(app: Walked, visitor: Visitor) -> None:
    """The rule of the handler decides, when the user has logged in."""
    tab = await visitor.open()
    before = len(app.lines())
    await visitor.log_in(await visitor.click(tab, "tea", f"{APP}wishes.wish_much"))
    tab = await visitor.back(tab)
    assert since(app, before) == []
    assert tab.hears("You may not do this.")


@pytest.mark.parametrize("page", ["/", "/begun"])
async def test_in_place(app: Walked, visitor: Visitor, page: str) -> None:
    """In a page that was not loaded again (its login was in another window), it is done once the
    page shows the state of the new login."""
    tab = await visitor.open(page)
    link = await visitor.click(tab, "tea", page=page)
    tag = [value for _, name, value in tab.values() if name == "login_tag"][-1]
    await visitor.log_in(link)
    before = len(app.lines())
    tab = await visitor.back(tab, page, {"vars": {f"{AUTH_STATE}.login_tag_rx_state_": tag}})
    await tab.settle()
    assert tab.hears(f"{AUTH_STATE}.acknowledge")
    assert since(app, before)[-1] == "wish tea"
    assert since(app, before).count("wish tea") == 1


@pytest.mark.parametrize("when", ["before the login", "after the login"])
async def test_too_late(app: Walked, visitor: Visitor, when: str) -> None:
    """Ten minutes later it is not done any more."""
    tab = await visitor.open()
    link = await visitor.click(tab, "tea")
    before = len(app.lines())
    if when == "after the login":
        await visitor.log_in(link)
    with app.ahead(601.0):
        if when == "before the login":
            await visitor.begin(link)
        tab = await visitor.back(tab)
    await visitor.log_in(f"{app.url}/auth/login")
    await visitor.back(tab)
    assert since(app, before) == []


async def test_latest_click(app: Walked, visitor: Visitor) -> None:
    """Of several clicks, the one whose link was followed is done."""
    tab = await visitor.open()
    links = [await visitor.click(tab, text) for text in ("tea", "milk")]
    before = len(app.lines())
    await visitor.log_in(links[1])
    await visitor.back(tab)
    assert since(app, before) == ["wish milk"]
