"""The security headers of every response of the backend."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

_ALWAYS = {
    "Content-Security-Policy": "base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_CREDENTIALS = "Access-Control-Allow-Credentials"
_ON_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}


def with_security_headers(send: Send, *, is_https: bool, is_foreign: bool) -> Send:
    """Return a `send` that adds each header unless the response has it.

    Other sites cannot frame the app and do not get its URLs as referrer; browsers do not guess
    content types. There is no `script-src`: Reflex writes inline scripts into its pages.

    With `is_foreign`, a page of another origin asks. It may not read an answer to a request with
    cookies: Reflex reads its CORS setting before this layer is installed.
    """
    headers = {**_ALWAYS, **_ON_HTTPS} if is_https else _ALWAYS

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = MutableHeaders(scope=message)
            for name, value in headers.items():
                present.setdefault(name, value)
            if is_foreign and present.get(_CREDENTIALS) == "true":
                del present[_CREDENTIALS]
                del present["Access-Control-Allow-Origin"]
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
