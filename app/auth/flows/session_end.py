"""How a session ends before its time, and who is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

from ..session import Session


class Ending(StrEnum):
    """The ways, as stable codes."""

    LOGOUT = "user"  # the user logged out, here
    OTHER_DEVICE = "other_device"  # the user logged it out from another session
    BACKCHANNEL = "backchannel"  # the provider said so (Back-Channel Logout 1.0)
    REFUSED = "invalid_grant"  # the provider refused its refresh token (RFC 6749 section 5.2)


OnSessionEnd = Callable[[str, Session, Ending], Awaitable[None]]
"""Is told of a session by its reference, after it is gone."""
