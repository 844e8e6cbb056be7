"""A small real HTTP server on loopback that can also answer as no server should."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LONGEST_DRIP = 13.0  # seconds after which the rest of a dripping answer comes at once


@dataclass(frozen=True)
class Request:
    """A request as it arrived; header names in lower case, each parameter with all its values.
    `certificate` is the one that the client has shown (DER), if it was asked for one."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    form: dict[str, list[str]]
    certificate: bytes | None = None


@dataclass(frozen=True)
class Answer:
    """What is sent back. `drip` seconds pass between two of the first bytes of the body; `is_cut`
    hangs up instead of answering."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drip: float = 0.0
    is_cut: bool = False

    @classmethod
    def of_json(cls, value: Any, status: int = 200) -> Answer:
        """A JSON document."""
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    @classmethod
    def redirect(cls, url: str) -> Answer:
        """A 302."""
        return cls(302, headers={"Location": url})


class HttpServer:
    """Answers each request with what `handle` returns for it, from a thread of its own."""

    def __init__(
        self, handle: Callable[[Request], Answer], tls: ssl.SSLContext | None = None
    ) -> None:
        self._stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(handle, self._stopping))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Free the port; answers that drip end."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(
    handle: Callable[[Request], Answer], stopping: threading.Event
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing."""

        def _reply(self) -> None:
            answer = handle(self._request())
            self.close_connection = True
            if answer.is_cut:
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            with contextlib.suppress(OSError):  # the other side may have had enough
                self._send(answer)

        def _send(self, answer: Answer) -> None:
            for chunk in _chunks(answer):
                self.wfile.write(chunk)
                self.wfile.flush()
                if answer.drip and stopping.wait(answer.drip):
                    return

        def _request(self) -> Request:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return Request(
                self.command,
                parts.path,
                parse_qs(parts.query, keep_blank_values=True),
                {name.lower(): value for name, value in self.headers.items()},
                parse_qs(body.decode(), keep_blank_values=True),
                self._certificate(),
            )

        def _certificate(self) -> bytes | None:
            connection = self.connection
            is_tls = isinstance(connection, ssl.SSLSocket)
            return connection.getpeercert(binary_form=True) if is_tls else None

    return Handler


def _chunks(answer: Answer) -> Iterable[bytes]:
    if answer.drip:
        first = int(LONGEST_DRIP / answer.drip)
        yield from (answer.body[i : i + 1] for i in range(first))
        yield answer.body[first:]
    else:
        yield answer.body
