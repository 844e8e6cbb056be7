"""Straight logins, and what the client sends along the way."""

from __future__ import annotations

from .provider import HostileProvider
from .relying_party import RelyingParty


async def test_straight(party: RelyingParty, provider: HostileProvider) -> None:
    """A provider that does everything right logs people in."""
    outcome = await party.log_in()
    assert outcome.code is None
    assert outcome.user == {"sub": "rp-user-1", "name": "Rea Party", "email": "rea@example.com"}
    assert not provider.asked("/userinfo")
