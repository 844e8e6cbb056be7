"""Serves pages without a trailing slash: `/profile`, not `/profile/`. The start page has one."""

from __future__ import annotations

from collections.abc import Collection

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class PagePaths:
    """Makes ASGI middleware that serves each page without the redirect to its folder.

    In production a page is a folder with an index file. Reflex's file server redirects `/profile`
    to `/profile/`, and a login would return to that address. `pages` are paths without a trailing
    slash; they are known once the app is compiled.

    An app below the path `/shop` has its start page at `/shop/`, and redirects from `/shop`: for
    Reflex's router, that is not an address of the app.
    """

    def __init__(self, base_path: str = "") -> None:
        self._base_path = base_path
        self.pages: Collection[str] = frozenset()

    def around(self, inner: ASGIApp) -> ASGIApp:
        """Return the middleware around `inner`."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and self._base_path and scope["path"] == self._base_path:
                query = scope["query_string"].decode("latin-1")
                url = f"{self._base_path}/" + (f"?{query}" if query else "")
                await RedirectResponse(url, 308)(scope, receive, send)
                return
            if scope["type"] == "http" and scope["path"] in self.pages:
                raw_path = scope.get("raw_path", b"").partition(b"?")[0] + b"/"
                scope = {**scope, "path": f"{scope['path']}/", "raw_path": raw_path}
            await inner(scope, receive, send)

        return serve
