"""A limit on the size of request bodies; the tenant expects only small ones."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAXIMUM_BODY = 64 * 1024  # bytes


class _TooLarge(Exception):
    """The body is larger than the limit."""


class BodyLimit:
    """Answers 413 (RFC 9110 section 15.5.14) to a body over 64 KiB, and stops reading it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, _counted(receive), send)
        except _TooLarge:
            message = f"The body is larger than {MAXIMUM_BODY // 1024} KiB."
            body = {"statusCode": 413, "error": "Content Too Large", "message": message}
            await JSONResponse(body, 413)(scope, receive, send)


def _counted(receive: Receive) -> Receive:
    left = MAXIMUM_BODY

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _TooLarge
        return message

    return counted
