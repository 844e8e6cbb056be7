"""What the states of a tab know of its websocket."""

from __future__ import annotations

from reflex.istate.data import SessionData
from reflex.istate.proxy import StateProxy
from reflex.state import BaseState

_SESSION = "rx_router_session"


def connection_of(state: BaseState) -> SessionData:
    """What Reflex knows of the connection of a state's tab: `session_id` and `client_token`.

    The connection's id comes from the server's own record of the event, never from the client. The
    same as `state.router.session`, which puts all else about the page together, too, and costs more
    than everything that is done here for an event.
    """
    return connection_of_root(root_of(state))


def connection_of_root(root: BaseState) -> SessionData:
    """The same, for the root of the tree of states of a tab."""
    # From where Reflex keeps it once it was written: a third of the price of `get_value`.
    session: SessionData = root.__dict__.get(_SESSION) or root.get_value(_SESSION)
    return session


def root_of(state: BaseState) -> BaseState:
    """The root of the tree of states of a tab."""
    plain = state.__wrapped__ if isinstance(state, StateProxy) else state
    return plain._get_root_state()
