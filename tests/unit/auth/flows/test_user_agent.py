"""The browser's name, as a person knows it."""

from __future__ import annotations

import pytest

from app.auth.flows.devices import parse_user_agent

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (CHROME, ("Chrome", "Windows")),
        (SAFARI, ("Mobile Safari", "iOS")),
        ("something of my own", ("", "")),
        ("", ("", "")),
        (None, ("", "")),
        ("(" * 100_000, ("", "")),
    ],
    ids=["desktop", "phone", "unknown", "empty", "absent", "enormous"],
)
def test_parse_user_agent(user_agent: str | None, name: tuple[str, str]) -> None:
    """Common browsers are called what their users call them; others have no name."""
    assert parse_user_agent(user_agent) == name
