"""The app, running, and people who come to it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from app.auth.session import Sealer, SQLiteSessionStore, hash_session_id
from app.auth.testing import add_session, new_session

from ..cookies import session_cookie
from ..e2e.stack import SECRET
from ..servers import BIN, Server, answers, clean_environ, free_port, lifted_project
from .raw_tab import RawTab, opened_under_its_token

Result = TypeVar("Result")

MODE = "REFLEX_STATE_MANAGER_MODE"
STATE_MANAGERS: dict[str, dict[str, str]] = {
    "": {},
    "files": {MODE: "disk"},
    "memory": {MODE: "memory"},
}

HERE = Path(__file__).parent / "app"
BACKEND = ("run", "--env", "prod", "--backend-only")
RUNS_ON = {
    "PYTHONPATH": ".",
    "REFLEX_ENV_MODE": "prod",
    "REFLEX_STATE_MANAGER_DISK_DEBOUNCE": "0.5s",
}


def granian(port: int) -> list[str]:
    """The command that serves the app without `reflex run`."""
    place = ["--host", "127.0.0.1", "--port", str(port), "--interface", "asgi"]
    return [str(BIN / "granian"), *place, "--factory", "access_app.access_app:app"]


@dataclass
class Walked:
    """The app: `ran` is the file in which handlers say that they have run."""

    url: str
    ran: Path
    store_file: Path
    record_file: Path
    server: Server

    def state_file(self, token: str, state: str) -> Path:
        """Where Reflex keeps a State of a tab."""
        name = md5(f"{token}_{state}".encode(), usedforsecurity=False).hexdigest()
        return self.ran.parent / "project" / ".states" / f"{name}.pkl"

    def lines(self) -> list[str]:
        """What has run so far; the marks of `settle` left out."""
        lines = self.ran.read_text().splitlines() if self.ran.exists() else []
        return [line for line in lines if not line.startswith("say ")]

    def record(self) -> list[dict[str, Any]]:
        """The entries of the app's record so far."""
        text = self.record_file.read_text() if self.record_file.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    async def person(
        self, sub: str, *, scope: str = "openid", age: float = 0.0, **user: object
    ) -> str:
        """Somebody who has just logged in, or `age` seconds ago; the handle of their session."""
        session = new_session({"sub": sub, **user}, scopes=scope, auth_time=time.time() - age)
        return await self._with_store(lambda store: add_session(store, session))

    async def last_seen(self, sub: str) -> float:
        """When somebody's only session was last used, in epoch seconds."""
        found = await self._with_store(lambda store: store.find(sub=sub))
        (stored,) = found.values()
        return stored.last_seen_at

    @contextmanager
    def ahead(self, seconds: float) -> Iterator[None]:
        """Meanwhile, the app's clock is so far ahead."""
        file = self.ran.with_name("ahead")
        file.write_text(str(seconds))
        yield
        file.unlink()

    async def log_out(self, handle: str | None) -> None:
        """Log out as a browser does."""
        headers = {"Origin": self.url, "Cookie": f"{session_cookie(self.url)}={handle}"}
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{self.url}/auth/logout", headers=headers)
        assert answer.status_code == 303

    async def end(self, handle: str) -> None:
        """End a session in the store, without a word to the app."""
        await self._with_store(lambda store: store.delete(hash_session_id(handle)))

    async def _with_store(self, work: Callable[[SQLiteSessionStore], Awaitable[Result]]) -> Result:
        store = SQLiteSessionStore(self.store_file, Sealer((SECRET,)))
        try:
            return await work(store)
        finally:
            await store.close()


async def connected_after(app: Walked, tab: RawTab, sub: str, **user: object) -> RawTab:
    """The tab that was just closed, of somebody else now, who has not said anything yet."""
    handle = await app.person(sub, **user)
    return await opened_under_its_token(
        lambda: RawTab(app.url, handle, token=tab.token), RawTab.connect
    )


async def visited_after(app: Walked, tab: RawTab) -> RawTab:
    """The tab that was just closed, of somebody else who has loaded the page and gone again."""
    following = await connected_after(app, tab, "next")
    await following.settle()
    await following.load()
    await following.close()
    assert [value for _, name, value in following.values() if name == "user"]
    return following


@pytest.fixture(scope="session", params=["recorded", "unrecorded"])
def walked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walked]:
    """A backend that anybody may ask as often as they like; an event takes another way where there
    is nobody to be told of it."""
    has_record = request.param == "recorded"
    with running(tmp_path_factory.mktemp("access"), limits="off", has_record=has_record) as app:
        yield app


@contextmanager
def running(
    directory: Path,
    *,
    limits: str,
    redis_url: str = "",
    data: Path | None = None,
    has_record: bool = True,
    runs_on: bool = False,
    is_secure: bool = True,
    state_manager: str = "",
    tenant: Callable[[str], str] | None = None,
    api: str = "",
) -> Iterator[Walked]:
    """A backend without a page: nobody here has a browser. With a `redis_url`, Reflex keeps its
    states there; `data` is the session file, if it is another backend's, too. With `runs_on`,
    it is started as one that is deployed by hand, which keeps what is in its files of states, and
    writes them soon. `tenant` starts a tenant for the app at a URL, and returns its own. `api` is
    the URL of an API that the app then loads from."""
    port, ran = free_port(), directory / "ran"
    url = f"http://localhost:{port}"
    data = data or directory / "s.sqlite3"
    record = directory / "record.jsonl"
    server = Server(
        granian(port) if runs_on else [str(BIN / "reflex"), *BACKEND],
        cwd=lifted_project(directory / "project", HERE, "access_app"),
        environ=clean_environ(
            APP_BASE_URL=url,
            ACCESS_DATA=str(data),
            ACCESS_RAN=str(ran),
            ACCESS_RECORD=str(record) if has_record else "",
            ACCESS_API=api,
            ACCESS_LIMITS=limits,
            ACCESS_SECURE_BY_DEFAULT=str(int(is_secure)),
            **({"REFLEX_REDIS_URL": redis_url} if redis_url else {}),
            **STATE_MANAGERS[state_manager],
            AUTH0_DOMAIN=tenant(url) if tenant else "http://127.0.0.1:9",
            AUTH0_CLIENT_ID="local-app",
            AUTH0_CLIENT_SECRET="local-secret",
            AUTH0_SECRET=SECRET,
            GRANIAN_WORKERS="1",
            **(RUNS_ON if runs_on else {}),
        ),
        log=directory / "app.log",
        ready=lambda: answers(f"{url}/ping"),
    )
    server.start()
    try:
        yield Walked(url, ran, data, record, server)
    finally:
        server.stop()


OpenTab = Callable[..., Awaitable[RawTab]]


@pytest.fixture
async def tab(walked: Walked) -> AsyncIterator[OpenTab]:
    """Opens a tab."""
    tabs: list[RawTab] = []

    async def opened(handle: str | None = None, *, token: str | None = None) -> RawTab:
        tabs.append(RawTab(walked.url, handle, token=token))
        await tabs[-1].open()
        return tabs[-1]

    yield opened
    for each in tabs:
        await each.close()
