"""What the tests of an app need: signed-in users without a provider, failures, and a clock.

    async with signed_in(auth, user={"sub": "auth0|ann"}, roles=["admin"]) as tab:
        await tab.call(Orders.rename, "new name")
        assert (await tab.get_state(Orders)).name == "new name"

Nothing here runs in the app itself.
"""

from .clock import FakeClock
from .sessions import add_session, new_session, session_cookie
from .tab import AccessDenied, Tab, signed_in, visitor
from .transport import Outages

__all__ = [
    "AccessDenied",
    "FakeClock",
    "Outages",
    "Tab",
    "add_session",
    "new_session",
    "session_cookie",
    "signed_in",
    "visitor",
]
