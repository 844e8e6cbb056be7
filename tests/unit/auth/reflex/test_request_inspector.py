"""What the request inspector keeps and shows of requests and renewals."""

from __future__ import annotations

import pytest

from app.auth import RequestEvent
from app.auth.reflex.request_inspector import PER_OWNER, RecentRequests


def event(status: int | None = None, error: str | None = None) -> RequestEvent:
    """A request that ended like this."""
    return RequestEvent("GET", "https://api/", None, True, "attached", status=status, error=error)


@pytest.mark.parametrize(
    ("request_event", "shown"),
    [
        pytest.param(event(200), ("✓ 200", "good"), id="answer"),
        pytest.param(event(302), ("→ 302", ""), id="redirect"),
        pytest.param(event(403), ("✕ 403", "bad"), id="refusal"),
        pytest.param(event(error="ConnectError"), ("✕ ConnectError", "bad"), id="error"),
    ],
)
def test_status(request_event: RequestEvent, shown: tuple[str, str]) -> None:
    """A sign says what the colour of a status says."""
    recent = RecentRequests(lambda: 0.0)
    recent.add("alice", request_event)
    (row,) = recent.of("alice")
    assert (row["status"], row["status_class"]) == shown


def test_times_and_renewals() -> None:
    """Times are sent in UTC, so that the browser can show them in its own time zone. A renewal
    stands between requests, has the same members, and is kept as long as they are."""
    recent = RecentRequests(lambda: 1_800_000_000.5)
    recent.add("alice", event(200))
    recent.add("alice", None)
    renewal, request = recent.of("alice")
    assert (renewal["time"], request["time"]) == ("2027-01-15T08:00:00+00:00",) * 2
    assert renewal.keys() == request.keys()
    assert (renewal["request"], request["request"]) == ("", "GET https://api/")
    assert recent.of("bob") == []
    for _ in range(PER_OWNER):
        recent.add("alice", None)
    assert len(recent.of("alice")) == PER_OWNER


@pytest.mark.parametrize(
    ("token_type", "client_certificate", "text"),
    [
        (None, False, "no token"),
        ("Bearer", False, "with a token"),
        ("DPoP", False, "with a DPoP token"),
        ("Bearer", True, "with a token, by mutual TLS"),
    ],
)
def test_token(token_type: str | None, client_certificate: bool, text: str) -> None:
    """The panel says how the token was presented, and so whether it is bound."""
    recent = RecentRequests(clock=lambda: 0.0)
    event = RequestEvent(
        *("GET", "https://api.example.com/", None, token_type is not None, "attached"),
        token_type=token_type,
        client_certificate=client_certificate,
    )
    recent.add("owner", event)
    (row,) = recent.of("owner")
    assert row["token"] == text
