"""The end of back-channel logout that a client has: it takes what the provider posts."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs


class LogoutReceiver(ThreadingHTTPServer):
    """Keeps every logout token that arrives."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tokens: queue.Queue[str] = queue.Queue()

    @property
    def url(self) -> str:
        """What to register as `backchannel_logout_uri`."""
        return f"http://127.0.0.1:{self.server_port}/backchannel-logout"


class _Handler(BaseHTTPRequestHandler):
    server: LogoutReceiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tokens.put(parse_qs(body.decode())["logout_token"][0])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests look at what arrived."""


@contextmanager
def running_logout_receiver() -> Iterator[LogoutReceiver]:
    """It, while it listens."""
    with LogoutReceiver() as receiver:
        thread = Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()
