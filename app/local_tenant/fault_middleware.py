"""Applies the faults of answers: late, refused, or cut off."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from .faults import Faults

_RETRY_AFTER = "1"  # seconds


class FaultMiddleware:
    """Stands before everything but the dashboard, which ends the faults."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/dashboard"):
            await self._app(scope, receive, send)
            return
        met = self._faults.met(scope["path"])
        await asyncio.sleep(sum(float(each.value) for each in met if each.kind == "latency"))
        if any(each.kind == "drop" for each in met):
            await _cut_off(send)
            return
        for fault in met:
            if fault.kind == "status":
                await _refusal(int(fault.value), scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _cut_off(send: Send) -> None:
    # The server closes a connection whose body does not come to its end.
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"', "more_body": True})


def _refusal(status: int, path: str) -> JSONResponse:
    headers = {"Retry-After": _RETRY_AFTER} if status in (429, 503) else {}
    text = HTTPStatus(status).phrase
    if status == 429 and path.startswith("/api/v2/"):
        text = "Global limit has been reached"
    if path.startswith("/oauth/"):
        error = "too_many_requests" if status == 429 else "temporarily_unavailable"
        return JSONResponse({"error": error, "error_description": text}, status, headers)
    body = {"statusCode": status, "error": HTTPStatus(status).phrase, "message": text}
    if status == 429:
        body["errorCode"] = "too_many_requests"
    return JSONResponse(body, status, headers)
