"""One of the two apps under load, and everything that is done to it."""

from __future__ import annotations

import asyncio
import random
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import psutil

from app.auth.session import Sealer, SQLiteSessionStore
from app.auth.testing import add_session, new_session

from ..cookies import session_cookie
from ..e2e.stack import SECRET
from ..servers import BIN, Server, answers, free_port, lifted_project
from .tab import SIGNED_OUT, Tab

HERE = Path(__file__).parent / "app"
MIX = {"load": 80, "edit": 19, "leave": 1}  # shares of the events
TABS_OF_ONE = 3  # tabs of a user who logs out
STATE_LIFETIME = 120  # seconds for which Reflex keeps what a closed tab leaves; an hour by default
WITH = "reflex___state____state.load_app___auth___reflex___state____user_scoped_state"


@dataclass
class Result:
    """Of a number of events: seconds in all, seconds of each, and how many failed."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    logouts: list[float] = field(default_factory=list)  # from the click until the tab shows it
    errors: int = 0

    @property
    def rate(self) -> float:
        """Events a second."""
        return len(self.latencies) / self.seconds


class Side:
    """`has_auth` says which of the two."""

    def __init__(
        self, directory: Path, environ: Mapping[str, str], *, api: str, has_auth: bool
    ) -> None:
        port = free_port()
        self.url = f"http://localhost:{port}"
        self.has_auth = has_auth
        self.tabs: list[Tab] = []
        self._http = httpx.AsyncClient(trust_env=False)
        self._random = random.Random(1)  # noqa: S311
        prefix = WITH if has_auth else "reflex___state____state"
        self._state = f"{prefix}.load_app___load_app____load"
        data = directory / "sessions.sqlite3"
        self.store = SQLiteSessionStore(data, Sealer((SECRET,)))
        self.server = Server(
            [str(BIN / "reflex"), "run", "--env", "prod", "--backend-only"],
            cwd=lifted_project(directory / "project", HERE, "load_app"),
            environ={
                **environ,
                "APP_BASE_URL": self.url,
                "LOAD_API": api,
                "LOAD_AUTH": "1" if has_auth else "0",
                "LOAD_DATA": str(data),
                "REFLEX_REDIS_TOKEN_EXPIRATION": str(STATE_LIFETIME),
                "GRANIAN_WORKERS": "1",
            },
            log=directory / "app.log",
            ready=lambda: answers(f"{self.url}/ping"),
            patience=120.0,
        )

    async def join(self, handle: str | None = None) -> Tab:
        """One more tab; with the auth layer, of this session, or of a user of its own who has just
        logged in."""
        if self.has_auth and handle is None:
            handle = await log_in(self.store)
        tab = Tab(self.url, self._state, handle)
        await tab.open()
        return tab

    async def join_many(self, count: int) -> None:
        """So many, sixteen at a time."""
        gate = asyncio.Semaphore(16)

        async def one() -> None:
            async with gate:
                self.tabs.append(await self.join())

        await asyncio.gather(*(one() for _ in range(count)))

    async def work(self, events: int, workers: int) -> Result:
        """So many events of the mix, by so many tabs at a time."""
        result = Result(0.0)
        shares = self._random.choices(list(MIX), list(MIX.values()), k=events)
        todo = iter(shares)
        begun_at = time.perf_counter()
        await asyncio.gather(*(self._worker(todo, result) for _ in range(workers)))
        return replace(result, seconds=time.perf_counter() - begun_at)

    def memory(self) -> int:
        """Bytes that the server and its workers have for themselves."""
        server = psutil.Process(self.server.pid)
        processes = [server, *server.children(recursive=True)]
        return sum(process.memory_full_info().uss for process in processes)

    async def logouts(self, count: int) -> list[float]:
        """The seconds from so many logouts, one after the other, to the last of the `TABS_OF_ONE`
        tabs of that user that shows it. The others stay connected, and do nothing."""
        return [await self._logout_everywhere() for _ in range(count)]

    async def _logout_everywhere(self) -> float:
        handle = await log_in(self.store) if self.has_auth else None
        tabs = [await self.join(handle) for _ in range(TABS_OF_ONE)]
        begun_at = time.perf_counter()
        seen = [tab.waits_for(SIGNED_OUT) for tab in tabs] if self.has_auth else []
        await self._log_out(tabs[0])
        if self.has_auth:
            await asyncio.wait_for(asyncio.gather(*seen), 20)
        else:
            await asyncio.gather(*(tab.call("click") for tab in tabs))
        seconds = time.perf_counter() - begun_at
        for tab in tabs:
            await tab.close()
        return seconds

    async def stop(self) -> None:
        """Close everything."""
        for tab in self.tabs:
            await tab.close()
        self.server.stop()
        await self._http.aclose()
        await self.store.close()

    async def _worker(self, todo: Iterator[str], result: Result) -> None:
        for event in todo:
            tab = self.tabs.pop(self._random.randrange(len(self.tabs)))
            try:
                if event == "leave":
                    tab = await self._leave(tab, result)
                else:
                    result.latencies.append(await tab.call(event))
            except (TimeoutError, OSError, httpx.HTTPError) as error:
                result.errors += 1
                sys.stderr.write(f"{self.url} {event}: {type(error).__name__} {error}\n")
            self.tabs.append(tab)

    async def _leave(self, tab: Tab, result: Result) -> Tab:
        """Log out, see it in the tab, close it; somebody else comes. Without the auth layer there
        are the same messages: a request and an event."""
        begun_at = time.perf_counter()
        seen = tab.waits_for(SIGNED_OUT)
        await self._log_out(tab)
        if self.has_auth:
            await asyncio.wait_for(seen, 20)
        else:
            await tab.call("click")
        result.logouts.append(time.perf_counter() - begun_at)
        result.latencies.append(result.logouts[-1])
        await tab.close()
        return await self.join()

    async def _log_out(self, tab: Tab) -> None:
        if self.has_auth:
            headers = {"Origin": self.url, "Cookie": f"{session_cookie(self.url)}={tab.handle}"}
            await self._http.post(f"{self.url}/auth/logout", headers=headers)
        else:
            await self._http.get(f"{self.url}/ping")


async def log_in(store: SQLiteSessionStore) -> str:
    """The handle of a new session, of a user of its own."""
    name = uuid.uuid4().hex
    user = {"sub": f"auth0|{name}", "name": "Somebody", "email": f"{name[:8]}@example.com"}
    return await add_session(store, new_session(user, access_token="a" * 800))
