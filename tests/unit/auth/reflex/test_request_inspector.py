"""What the request inspector's panel says of a request."""

from __future__ import annotations

import pytest

from app.auth import RequestEvent
from app.auth.reflex.request_inspector import RecentRequests


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
