"""What every answer of the backend tells the browser about itself."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

_ALWAYS = {
    "Content-Security-Policy": "base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_ON_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}


def with_security_headers(send: Send, *, is_https: bool) -> Send:
    """A `send` that adds the headers which an answer does not have already.

    Nobody can put the app into a frame, guess the type of its answers, or read its URLs elsewhere.
    What scripts a page may run is the page's own affair: Reflex writes some into it.
    """
    headers = {**_ALWAYS, **_ON_HTTPS} if is_https else _ALWAYS

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = MutableHeaders(scope=message)
            for name, value in headers.items():
                present.setdefault(name, value)
        await send(message)

    return sending


def with_cookie(send: Send, set_cookie: str) -> Send:
    """A `send` that gives the browser a cookie (a Set-Cookie value) along with a document."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if headers.get("content-type", "").startswith("text/html"):
                headers.append("set-cookie", set_cookie)
                headers.setdefault("cache-control", "private, no-cache")  # it is this browser's
        await send(message)

    return sending
