"""Our page beside the Angular quickstart's, in one Chromium, in turn, on the same local tenant."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from ..browser import chromium
from ..e2e.stack import SECRET, Tenant
from ..e2e.walk import ALICE, PASSWORD
from ..interop import angular
from ..interop.installing import InstallError
from ..servers import BIN, ROOT, Server, answers, clean_environ, copy_project, free_port
from .delay import DelayingProxy
from .figure import Figure

ROUND_TRIP = 0.04  # seconds
NETWORKS = {"loopback": 0.0, "40 ms round trips": ROUND_TRIP / 2}
LOCAL_STORAGE, MEMORY = "Angular with localStorage", "Angular with its memory cache"
VISITS = 5  # of an empty browser, at each network: with a login, and a logout of ours
DEADLINE = 240  # seconds for all but the reloads
SECONDS_FOR_A_RELOAD = 10  # of all pages, at both networks
GOALS = {LOCAL_STORAGE: 1.0, MEMORY: 0.7}  # for reloads, as ratios

# When each value of the metadata is first shown, and the log-in control, in ms of this navigation.
_WATCH = """
window.seen = {};
const look = () => {
  const now = performance.now(), pre = document.querySelector('[data-testid=user-metadata]');
  const n = pre?.textContent.match(/"n":\\s*(\\d+)/)?.[1];
  if (n && !(n in seen)) seen[n] = now;
  for (const id of ['login', 'logout'])
    if (!(id in seen) && document.querySelector(`[data-testid=${id}]`)) seen[id] = now;
};
new MutationObserver(look).observe(document, {subtree: true, childList: true, characterData: true});
"""


@dataclass
class Racer:
    """One of the pages, and what was measured: milliseconds by what."""

    name: str
    url: str
    times: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, milliseconds: float) -> None:
        self.times.setdefault(what, []).append(milliseconds)

    def median(self, what: str) -> float:
        return median(self.times[what])


def measure(directory: Path, *, reloads: int) -> list[Figure]:
    """Race both pages. Without an Angular page, the reason is printed and there are no figures."""
    try:
        angular.install()
    except InstallError as reason:
        sys.stdout.write(f"The race with Angular is skipped: {reason}\n")
        return []
    with _track(directory) as (tenant, proxies, racers, app_proxy):
        ours, *peers = racers
        if not _has_web_message(tenant):
            sys.stdout.write(f"{MEMORY} is skipped: the tenant has no web_message.\n")
            peers = [each for each in peers if each.name != MEMORY]
        path = chromium()
        with sync_playwright() as playwright:
            address = ours.url.removeprefix("http://")
            browser = playwright.chromium.launch(
                executable_path=path,
                args=[
                    "--no-sandbox",
                    "--disable-gpu",
                    f"--host-resolver-rules=MAP {address} 127.0.0.1:{app_proxy}",
                ],
            )
            try:
                with _deadline(DEADLINE + reloads * SECONDS_FOR_A_RELOAD):
                    _race(browser, tenant, proxies, (ours, *peers), reloads)
                    browser.close()
            except TimeoutError as error:
                sys.stdout.write(f"{error} What was measured until then follows.\n")
    return [figure for what in ours.times for figure in _figures(what, ours, peers)]


@contextmanager
def _deadline(seconds: int) -> Iterator[None]:
    """Raise `TimeoutError` after so long: closing a browser's context sometimes never returns."""

    def end(*_: object) -> None:
        raise TimeoutError(f"The race did not end within {seconds} s.")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _figures(what: str, ours: Racer, peers: Sequence[Racer]) -> Iterator[Figure]:
    mine = ours.median(what)
    others = [each for each in peers if what in each.times]
    if not others:
        yield Figure(f"{what}, ms", mine, None, "ours; Angular's other tab stays")
    for peer in others:
        theirs = peer.median(what)
        goal = GOALS[peer.name] if what.startswith("reload") else None
        name = what if peer.name == LOCAL_STORAGE else f"{what}, memory cache"
        yield Figure(name, mine / theirs, goal, f"{peer.name}: {mine:.0f} ms to {theirs:.0f} ms")


def _has_web_message(tenant: Tenant) -> bool:
    """Whether the SDK can ask the tenant in a hidden frame, as it does after each reload without
    refresh tokens."""
    answer = httpx.get(f"{tenant.url}/.well-known/openid-configuration", trust_env=False)
    return "web_message" in answer.json().get("response_modes_supported", [])


def _race(
    browser: Browser,
    tenant: Tenant,
    proxies: list[DelayingProxy],
    racers: Sequence[Racer],
    reloads: int,
) -> None:
    tenant.set_metadata(ALICE, '{"n": 1000}')
    for racer in racers:  # consents, and warms both up
        _log_in(_new_context(browser), racer.url)
    value = 1000
    for network, delay in NETWORKS.items():
        for proxy in proxies:
            proxy.delay = delay
        opened = {}
        visits = min(VISITS, reloads)
        for visit in range(visits):
            for racer in racers if visit % 2 else reversed(racers):
                context = _new_context(browser)
                first, login, page = _log_in(context, racer.url)
                racer.note(f"first visit, {network}", first)
                racer.note(f"login round trip, {network}", login)
                if visit == visits - 1:
                    page.goto(f"{racer.url}/profile")
                    _seen(page, str(value))
                    opened[racer.name] = page
                else:
                    if racer is racers[0]:
                        racer.note(f"logout to the other tab, {network}", _log_out(page, racer.url))
                    context.close()
        pages = [(racer, opened[racer.name]) for racer in racers]
        for turn in range(reloads + 1):
            for racer, page in pages if turn % 2 else reversed(pages):
                value += 1
                tenant.set_metadata(ALICE, f'{{"n": {value}}}')
                page.reload(wait_until="commit")
                milliseconds = _seen(page, str(value))
                if turn:
                    racer.note(f"reload to fresh metadata, {network}", milliseconds)
        ours, page = pages[0]
        ours.note(f"logout to the other tab, {network}", _log_out(page, ours.url))
        for _, page in pages:
            page.context.close()


def _settings(domain: str, cache_location: str) -> dict[str, str]:
    """Those of an Angular page."""
    return {"domain": domain, "api": f"{domain}/api/v2/", "cacheLocation": cache_location}


def _new_context(browser: Browser) -> BrowserContext:
    context = browser.new_context()
    context.set_default_timeout(15_000)
    context.add_init_script(_WATCH)
    return context


def _log_in(context: BrowserContext, url: str) -> tuple[float, float, Page]:
    """From an empty browser: ms to the log-in control, and from the password to being logged in."""
    page = context.new_page()
    page.goto(url, wait_until="commit")
    first = _seen(page, "login")
    page.get_by_test_id("login").first.click()
    page.wait_for_url("**/u/login**")
    page.fill("input[name=username]", ALICE)
    page.fill("input[name=password]", PASSWORD)
    start = time.perf_counter()
    page.get_by_test_id("tenant-login").click(no_wait_after=True)
    page.locator("[data-testid=logout], [data-testid=tenant-accept]").first.wait_for()
    if page.get_by_test_id("tenant-accept").count():
        page.get_by_test_id("tenant-accept").click()
        page.get_by_test_id("logout").wait_for()
    return first, (time.perf_counter() - start) * 1000, page


def _log_out(page: Page, url: str) -> float:
    """Log out in a page; ms until another tab of the same browser shows it, without a reload."""
    other = page.context.new_page()
    other.goto(url)
    _seen(other, "logout")
    start = time.perf_counter()
    page.get_by_test_id("logout").click(no_wait_after=True)
    other.get_by_test_id("login").first.wait_for()
    milliseconds = (time.perf_counter() - start) * 1000
    # Its own logout ends, too, before the browser context is closed.
    page.get_by_test_id("login").first.wait_for()
    return milliseconds


def _seen(page: Page, what: str) -> float:
    """Wait until it is shown; when that was, in ms of the navigation."""
    handle = page.wait_for_function("what => window.seen?.[what]", arg=what)
    return float(handle.json_value())


@contextmanager
def _track(
    directory: Path,
) -> Iterator[tuple[Tenant, list[DelayingProxy], list[Racer], int]]:
    """The pages and the tenant, each behind a proxy. Also our backend reaches the tenant by it."""
    app, app_proxy, real, public = (free_port() for _ in range(4))
    stored, stored_proxy, memory, memory_proxy = (free_port() for _ in range(4))
    ours = Racer("ours", f"http://localhost:{app}")
    stored_page = Racer(LOCAL_STORAGE, f"http://localhost:{stored_proxy}")
    # Of the tenant's site: in a frame of another site, the tenant has no cookie.
    forgetful = Racer(MEMORY, f"http://127.0.0.1:{memory_proxy}")
    domain, data = f"http://127.0.0.1:{public}", directory / "tenant.sqlite3"
    arguments = [str(real), str(public), str(data), ours.url, stored_page.url, forgetful.url]
    server = Server(
        [sys.executable, "-m", "tests.benchmarks.tenant", *arguments],
        cwd=ROOT,
        environ=clean_environ(),
        log=directory / "tenant.log",
        ready=lambda: answers(f"http://127.0.0.1:{real}/.well-known/openid-configuration"),
    )
    backend = Server(
        [str(BIN / "reflex"), "run", "--env", "prod"],
        cwd=copy_project(directory / "race"),
        environ=clean_environ(
            APP_BASE_URL=ours.url,
            APP_DATA_DIR=str(directory / "race-data"),
            AUTH0_DOMAIN=domain,
            AUTH0_CLIENT_ID="local-app",
            AUTH0_CLIENT_SECRET="local-secret",
            AUTH0_SECRET=SECRET,
        ),
        log=directory / "race.log",
        ready=lambda: answers(f"{ours.url}/auth/health") and answers(ours.url),
        patience=240.0,
    )
    targets = {app_proxy: app, stored_proxy: stored, memory_proxy: memory, public: real}
    proxies = {port: DelayingProxy(target) for port, target in targets.items()}
    webs = [
        uvicorn.Server(
            uvicorn.Config(
                angular.site(_settings(domain, location)), port=port, log_level="warning"
            )
        )
        for port, location in ((stored, "localstorage"), (memory, "memory"))
    ]

    async def serve() -> None:
        for port, proxy in proxies.items():
            await proxy.start(port)
        await asyncio.gather(*(web.serve() for web in webs))

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    try:
        server.start()
        thread.start()
        backend.start()
        racers = [ours, stored_page, forgetful]
        yield Tenant(domain, data, server), list(proxies.values()), racers, app_proxy
    finally:
        backend.stop()
        server.stop()
        for web in webs:
            web.should_exit = True
        thread.join(5)
