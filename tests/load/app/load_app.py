"""One app twice: with the auth layer copied into it as `load_app/auth`, and without it."""

import os
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import reflex as rx

API = os.environ["LOAD_API"]
METADATA = f"{API}/users/me"

if os.environ["LOAD_AUTH"] == "1":
    from .auth import (
        AuthConfig,
        AuthService,
        HttpInterceptorConfig,
        Limits,
        Sealer,
        UserScopedState,
    )
    from .auth import SQLiteSessionStore as Store

    config = AuthConfig.from_environ(os.environ)
    store = Store(Path(os.environ["LOAD_DATA"]), Sealer(config.secrets))
    interceptor = HttpInterceptorConfig([f"{API}/*"])
    limits = Limits(*["1000000/second"] * 7)  # counted, but never too many
    auth = AuthService(config, store, http_interceptor=interceptor, limits=limits)
    Base, guard, client = UserScopedState, auth.require_login, auth.http_client
else:
    http = httpx.AsyncClient(headers={"Authorization": "Bearer " + "a" * 800}, trust_env=False)
    Base, guard = rx.State, lambda handler: handler

    @asynccontextmanager
    async def client(state):
        yield http


class Load(Base):
    """Calls an API for the user of the tab; `n` says which event has been worked off."""

    n: int = 0
    metadata: dict[str, str] = {}

    @rx.event
    @guard
    def click(self, n: int):
        self.n = n

    @rx.event(background=True)
    @guard
    async def load(self, n: int):
        async with client(self) as http:
            response = await http.get(METADATA)
        async with self:
            self.metadata, self.n = response.json(), n

    @rx.event(background=True)
    @guard
    async def edit(self, n: int):
        async with client(self) as http:
            response = await http.patch(METADATA, json={"n": str(n)})
        async with self:
            self.metadata, self.n = response.json(), n


app = rx.App()
app.add_page(lambda: rx.el.p(Load.n), route="/")
if os.environ["LOAD_AUTH"] == "1":
    auth.install(app)
