"""Points in the notes app where a handler waits until the test lets it go on."""

from __future__ import annotations

import socketserver
import threading
from collections import defaultdict


class Pauses(socketserver.ThreadingTCPServer):
    """A handler that comes to a pause says its name and waits for an answer.

    While this does not listen, nothing pauses.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int) -> None:
        self._arrived: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self._let_go: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        super().__init__(("127.0.0.1", port), _Arrival)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def wait_for(self, name: str) -> None:
        """Return once a handler has come to this pause."""
        assert self._arrived[name].wait(15), f"nobody came to the pause {name!r}"

    def let_go(self, name: str) -> None:
        """Everybody at this pause, now and later, goes on."""
        self._let_go[name].set()

    def hold(self, name: str) -> bool:
        """Note the arrival and wait; the test's own patience bounds it."""
        self._arrived[name].set()
        return self._let_go[name].wait(30)

    def end(self) -> None:
        """Let everybody go and listen no more."""
        for event in self._let_go.values():
            event.set()
        self.shutdown()
        self.server_close()


class _Arrival(socketserver.StreamRequestHandler):
    server: Pauses

    def handle(self) -> None:
        name = self.rfile.readline().decode().strip()
        if self.server.hold(name):
            self.wfile.write(b"go\n")
