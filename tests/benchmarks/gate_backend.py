"""A backend process whose handlers are called over real websockets, with the layer or without."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.auth.session import Sealer, SQLiteSessionStore

from ..e2e.stack import SECRET
from ..load.side import log_in
from ..load.tab import Tab
from ..servers import BIN, Server, answers, clean_environ, free_port, lifted_project

HERE = Path(__file__).parent / "gate_app"
STATE = "reflex___state____state.gate_app___gate_app____many0"
JOINING = 16  # sockets that connect at a time


@dataclass(frozen=True)
class Cost:
    """Of a number of events: seconds that passed, and seconds that the server computed."""

    elapsed: float
    computed: float


class Backend:
    """An app with so many handlers; they are guarded if it `has_auth`."""

    def __init__(self, directory: Path, *, handlers: int, has_auth: bool) -> None:
        port = free_port()
        self.url = f"http://localhost:{port}"
        self._has_auth = has_auth
        self._tabs: list[Tab] = []
        data = directory / "sessions.sqlite3"
        self._store = SQLiteSessionStore(data, Sealer((SECRET,)))
        self.server = Server(
            [str(BIN / "reflex"), "run", "--env", "prod", "--backend-only"],
            cwd=lifted_project(directory / "project", HERE, "gate_app"),
            environ=clean_environ(
                APP_BASE_URL=self.url,
                AUTH0_DOMAIN="http://127.0.0.1:9",  # nobody logs in
                AUTH0_CLIENT_ID="local-app",
                AUTH0_CLIENT_SECRET="local-secret",
                AUTH0_SECRET=SECRET,
                GATE_AUTH="1" if has_auth else "0",
                GATE_DATA=str(data),
                GATE_HANDLERS=str(handlers),
                GRANIAN_WORKERS="1",
            ),
            log=directory / "app.log",
            ready=lambda: answers(f"{self.url}/ping"),
        )

    async def join(self, count: int) -> None:
        """Connect so many tabs; with the auth layer, each of a signed-in user of its own."""
        gate = asyncio.Semaphore(JOINING)

        async def one() -> None:
            async with gate:
                handle = await log_in(self._store) if self._has_auth else None
                tab = Tab(self.url, STATE, handle)
                await tab.open()
                self._tabs.append(tab)

        await asyncio.gather(*(one() for _ in range(count)))

    async def work(self, events: int, *, tabs: int, in_flight: int) -> Cost:
        """Call the handler from so many tabs in turn, so often in all and at a time."""
        todo = iter(range(events))
        shares = [itertools.cycle(self._tabs[:tabs][i::in_flight]) for i in range(in_flight)]
        computed, begun_at = self._computed(), time.perf_counter()
        await asyncio.gather(*(_call(todo, share) for share in shares))
        elapsed = time.perf_counter() - begun_at
        return Cost(elapsed, self._computed() - computed)

    async def stop(self) -> None:
        """Close everything."""
        for tab in self._tabs:
            await tab.close()
        self.server.stop()
        await self._store.close()

    def _computed(self) -> float:
        server = psutil.Process(self.server.pid)
        times = [p.cpu_times() for p in (server, *server.children(recursive=True))]
        return float(sum(t.user + t.system for t in times))


async def _call(todo: Iterator[int], tabs: Iterator[Tab]) -> None:
    for _, tab in zip(todo, tabs, strict=False):
        await tab.call("click0")
