"""Two users in three browsers, and what each of their tabs may have heard."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from .conftest import Walked
from .raw_tab import STATE, RawTab, opened_under_its_token

GUARDED = f"{STATE}.access_app___access_app____guarded"
USERS = ("ann", "ben")
NOTHING = "nothing"


@dataclass
class Browser:
    """Its cookie, and whose it is; `handle` stays after a session was ended elsewhere."""

    handle: str | None = None
    user: str | None = None


@dataclass
class Tab:
    """`user` is whose its connection is now; `secret` is what it has to show."""

    browser: Browser
    raw: RawTab
    handle: str | None = None
    user: str | None = None
    secret: str = NOTHING


@dataclass
class Scene:
    """Performs steps; `check` holds after each. Connections go to the `backends` in turn."""

    backends: tuple[Walked, ...]
    browsers: tuple[Browser, ...] = field(default_factory=lambda: (Browser(), Browser(), Browser()))
    tabs: list[Tab] = field(default_factory=list)
    _connections: itertools.count[int] = field(default_factory=itertools.count)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def log_in(self, browser: int, user: int) -> None:
        """As this user, whoever was there before; the tabs connect anew with the new cookie."""
        # The first two browsers have an owner each, in the third the users take turns.
        name = USERS[user if browser == 2 else browser]
        here = self.browsers[browser]
        await self._end(here.handle)
        here.handle = await self.backends[0].person(name, name=f"sentinel-{name}-name")
        here.user = name
        for tab in [tab for tab in self.tabs if tab.browser is here]:
            await self._connect(tab, here)

    async def log_out(self, browser: int) -> None:
        """Here: the cookie goes, and the tabs connect anew."""
        here = self.browsers[browser]
        await self._end(here.handle)
        here.handle = here.user = None
        for tab in [tab for tab in self.tabs if tab.browser is here]:
            await self._connect(tab, here)

    async def end_elsewhere(self, browser: int) -> None:
        """The session goes; cookie and connections stay."""
        await self._end(self.browsers[browser].handle)

    async def open(self, browser: int) -> None:
        """A new tab."""
        here = self.browsers[browser]
        tab = Tab(here, RawTab(self._url(), here.handle), here.handle, here.user)
        self.tabs.append(tab)
        await tab.raw.open()

    async def close(self, number: int) -> None:
        """A tab goes for good."""
        if tab := self._tab(number):
            self.tabs.remove(tab)
            await tab.raw.close()

    async def reconnect(self, number: int, cookie: int) -> None:
        """The same tab by a new connection, with the cookie of any browser, or (3) with none."""
        if tab := self._tab(number):
            await self._connect(tab, self._browser(cookie))

    async def steal(self, number: int, cookie: int) -> None:
        """Another connection under the token of a tab that is open."""
        if tab := self._tab(number):
            thief = self._browser(cookie)
            raw = RawTab(self._url(), thief.handle, token=tab.raw.token)
            await raw.open()
            await raw.send(f"{STATE}.hydrate", {})
            await raw.settle()
            await raw.close()
            self._check(raw, thief.user)

    async def write(self, number: int, handler: str) -> None:
        """Keep a value that is this user's and this step's."""
        if tab := self._tab(number):
            text = f"sentinel-{tab.user}-{next(self._numbers)}"
            heard = tab.raw.expect(f'"secret_rx_state_":"{text}"') if tab.user else None
            await tab.raw.send(f"{GUARDED}.{handler}", {"text": text})
            if heard:
                await heard
                tab.secret = text

    async def read(self, number: int) -> None:
        """Have a public handler read what is guarded."""
        if tab := self._tab(number):
            await tab.raw.send(f"{GUARDED}.copy_secret", {})

    async def check(self) -> None:
        """Each tab shows its own user's latest, and nothing that another has."""
        for tab in self.tabs:
            await tab.raw.send(f"{STATE}.hydrate", {})
            await tab.raw.settle()
            shown = [value for _, name, value in tab.raw.values() if name == "secret"]
            assert shown[-1] == tab.secret
            self._check(tab.raw, tab.user)

    def _check(self, raw: RawTab, user: str | None) -> None:
        marks = [f"sentinel-{other}" for other in USERS if other != user]
        for frame in raw.heard:
            assert not any(mark in frame.lower() for mark in marks), frame

    async def _connect(self, tab: Tab, browser: Browser) -> None:
        await tab.raw.close()
        self._check(tab.raw, tab.user)
        token = tab.raw.token
        url = self._url()
        tab.raw = await opened_under_its_token(lambda: RawTab(url, browser.handle, token=token))
        if tab.user != browser.user:
            tab.secret = NOTHING
        tab.handle, tab.user = browser.handle, browser.user

    async def _end(self, handle: str | None) -> None:
        if handle is None:
            return
        await self.check()
        await self.backends[0].end(handle)
        for browser in self.browsers:
            browser.user = None if browser.handle == handle else browser.user
        for tab in [tab for tab in self.tabs if tab.handle == handle]:
            # What came until now was its user's to see.
            tab.user, tab.secret = None, NOTHING
            tab.raw.heard.clear()
            await tab.raw.settle()

    def _url(self) -> str:
        return self.backends[next(self._connections) % len(self.backends)].url

    def _tab(self, number: int) -> Tab | None:
        return self.tabs[number % len(self.tabs)] if self.tabs else None

    def _browser(self, number: int) -> Browser:
        return (*self.browsers, Browser())[number]
