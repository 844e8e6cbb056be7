"""The outgoing requests of the last while, for the inspector; in memory, and bounded."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import UTC, datetime

from ..interceptor.events import RequestEvent

PER_OWNER = 50
OWNERS = 1000

Row = dict[str, str]

REASONS = {
    "attached": "The allowed list has an entry for it.",
    "not_on_list": "No entry of the allowed list covers it.",
    "odd_url": "Its URL can be read in two ways.",
    "own_authorization": "It brought an Authorization of its own.",
    "skipped": "The caller asked for none.",
    "anonymous": "Nobody is logged in, and the entry allows that.",
    "diverted": "It names another recipient than its URL.",
    "login_required": "Nobody is logged in, so it was not sent.",
    "consent_required": "The user has not allowed this audience and scope, so it was not sent.",
}


class RecentRequests:
    """The last requests of each owner: a session's reference, or a tab's token for nobody's."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rows: OrderedDict[str, deque[Row]] = OrderedDict()

    def add(self, owner: str, event: RequestEvent) -> None:
        """Note a request; who has made none for the longest time is forgotten first."""
        rows = self._rows.setdefault(owner, deque(maxlen=PER_OWNER))
        rows.appendleft(_row(event, self._clock()))
        self._rows.move_to_end(owner)
        if len(self._rows) > OWNERS:
            self._rows.popitem(last=False)

    def of(self, owner: str) -> list[Row]:
        """The requests of one owner, newest first."""
        return list(self._rows.get(owner, ()))


def _row(event: RequestEvent, now: float) -> Row:
    """The texts that the panel shows."""
    result = event.status or event.error or "not sent"
    times = f" · sent {event.retries + 1} times" if event.retries else ""
    return {
        "time": datetime.fromtimestamp(now, UTC).astimezone().strftime("%H:%M:%S"),
        "request": f"{event.method} {event.url}",
        "token": "with a token" if event.attached else "no token",
        "class": "yes" if event.attached else "no",
        "why": REASONS.get(event.reason, event.reason),
        "entry": event.entry or "",
        "audience": event.audience or "",
        "result": f"{result} · {event.milliseconds:.0f} ms{times}",
    }
