"""Serves pages without a trailing slash: `/profile`, not `/profile/`."""

from __future__ import annotations

from collections.abc import Callable, Collection

from starlette.types import ASGIApp, Receive, Scope, Send


def page_paths(pages: Collection[str]) -> Callable[[ASGIApp], ASGIApp]:
    """Serve each page (a path without trailing slash) without the redirect to its folder.

    In production a page is a folder with an index file. Reflex's file server redirects `/profile`
    to `/profile/`, and a login would return to that address.
    """

    def transformer(inner: ASGIApp) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["path"] in pages:
                raw_path = scope.get("raw_path", b"").partition(b"?")[0] + b"/"
                scope = {**scope, "path": f"{scope['path']}/", "raw_path": raw_path}
            await inner(scope, receive, send)

        return serve

    return transformer
