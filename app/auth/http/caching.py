"""The `Cache-Control` of the page's files, where the backend serves them."""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

_FOR_A_YEAR = "public, max-age=31536000, immutable"
# The bundler puts eight characters of a hash into the name: root-DJ4e5V4A.js.
_HASHED_NAME = re.compile(r"[^/]+-[\w-]{8}\.\w+", re.ASCII)
_FOUND = (200, 206, 304)


def with_cache_control(send: Send, path: str, assets_path: str) -> Send:
    """Return a `send` that says how long a browser may keep the file at `path`.

    A file directly in `assets_path` (`/assets/`, below the path of the pages) with a hash in its
    name never changes: it is kept for a year. Any other response with an `ETag`, such as an HTML
    document, is kept, and asked for again each time (RFC 9111 section 5.2.2.4): if it is unchanged,
    the answer is 304. A response that has a `Cache-Control` keeps it.

    Security: only that folder. A route of the app, such as `/api/assets/bill-20260101.pdf`, or an
    upload may be one user's, and a shared cache would keep what is public for every user.
    """
    name = path.removeprefix(assets_path)
    is_hashed = name != path and _HASHED_NAME.fullmatch(name) is not None

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if "etag" in headers:
                is_file = is_hashed and message["status"] in _FOUND
                headers.setdefault("cache-control", _FOR_A_YEAR if is_file else "no-cache")
        await send(message)

    return sending
