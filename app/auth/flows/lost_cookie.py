"""Browsers that do not send the session cookie: a guarded page would go to the login for ever.

A browser may withhold it from the websocket (page and backend are two sites, a proxy drops it), or
keep none (private windows, extensions). Its login succeeds, the page connects without a session,
and goes to the login by itself. Its link then says when the page connected: after the last login of
this browser, whose session is still there, the cookie should have come.

Once may be a coincidence: another tab connected while the answer with the cookie was on its way.
After two logins in a row that were in vain, the login stops with a page that says why.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

from ..errors import CallbackError
from ..session import SessionStore
from .transactions import Transactions

logger = logging.getLogger(__name__)

CONNECTED_AT = "connected_at"
"""The parameter of a link that a guarded page follows by itself: when it connected, in epoch
seconds. It is not sealed: its author could link to the page that it leads to as well."""
WITHIN = 60.0  # seconds between a login and the next one
MOST = 2  # logins in vain
_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


async def logins_in_vain(
    store: SessionStore, browser: str, query: Mapping[str, str], now: float
) -> int:
    """Return how many logins of this browser in a row have been in vain, for the transaction of the
    next one. `browser` is the value of the login cookie.

    Raises:
        CallbackError: too many (`cookie_not_sent`).
        StoreUnavailable: the store cannot be read.
    """
    text = query.get(CONNECTED_AT, "")
    if not _SECONDS.fullmatch(text):
        return 0
    last = await Transactions(store).last_session(browser)
    if last is None or last.session_id_hash is None:
        return 0
    is_in_vain = last.created_at < float(text) <= now and now - last.created_at < WITHIN
    # A session that has ended since needs another login: the cookie was not to come.
    if not is_in_vain or await store.load(last.session_id_hash) is None:
        return 0
    if last.repeats + 1 < MOST:
        return last.repeats + 1
    raise CallbackError(
        "The browser has logged in twice, and its page connected without the session cookie. Page "
        "and backend have to be one site, with https in both URLs if browsers use it, and a proxy "
        "has to pass the header Cookie on for websockets, too.",
        code="cookie_not_sent",
    )
