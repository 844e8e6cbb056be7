"""Serves pages without a trailing slash: `/profile`, not `/profile/`."""

from __future__ import annotations

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send


class PagePaths:
    """Makes ASGI middleware that serves each page without the redirect to its folder.

    In production a page is a folder with an index file. Reflex's file server redirects `/profile`
    to `/profile/`, and a login would return to that address. `pages` are paths without a trailing
    slash; they are known once the app is compiled.
    """

    def __init__(self) -> None:
        self.pages: Collection[str] = frozenset()

    def around(self, inner: ASGIApp) -> ASGIApp:
        """Return the middleware around `inner`."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["path"] in self.pages:
                raw_path = scope.get("raw_path", b"").partition(b"?")[0] + b"/"
                scope = {**scope, "path": f"{scope['path']}/", "raw_path": raw_path}
            await inner(scope, receive, send)

        return serve
