"""The API that the app under load calls: `python -m tests.load.api PORT`."""

from __future__ import annotations

import json
import sys

import uvicorn
from starlette.types import Receive, Scope, Send

_ANSWER = json.dumps({"color": "blue", "size": "3"}).encode()


async def api(scope: Scope, receive: Receive, send: Send) -> None:
    """The same user to everybody who has a token."""
    if scope["type"] != "http":
        return
    has_token = any(name == b"authorization" for name, _ in scope["headers"])
    headers = [(b"content-type", b"application/json")]
    status = 200 if has_token or scope["path"] == "/" else 401
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": _ANSWER})


if __name__ == "__main__":
    uvicorn.run(api, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", lifespan="off")
