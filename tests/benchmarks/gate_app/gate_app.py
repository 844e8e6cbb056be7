"""An app of many small handlers: with the auth layer, secure by default, and without it."""

import os
from pathlib import Path
from types import FunctionType

import reflex as rx

STATES = 10
HANDLERS = int(os.environ["GATE_HANDLERS"])  # in all States together


def set_n(self, n: int):
    self.n = n


def made(name: str) -> type[rx.State]:
    """A State with its share of the handlers, each of them a function of its own."""
    members = {"__module__": __name__, "__annotations__": {"n": int}, "n": 0}
    for number in range(HANDLERS // STATES):
        handler = FunctionType(set_n.__code__, globals())
        handler.__annotations__ = set_n.__annotations__
        handler.__name__ = f"click{number}"
        handler.__qualname__ = f"{name}.{handler.__name__}"
        members[handler.__name__] = handler
    return type(name, (rx.State,), members)


states = [made(f"Many{number}") for number in range(STATES)]
globals().update({state.__name__: state for state in states})  # where pickle looks for them

app = rx.App()
app.add_page(lambda: rx.el.div(*(rx.el.p(state.n) for state in states)), route="/")

if os.environ["GATE_AUTH"] == "1":
    from .auth import AuthConfig, AuthService, Limits, Sealer, SQLiteSessionStore

    config = AuthConfig.from_environ(os.environ)
    store = SQLiteSessionStore(Path(os.environ["GATE_DATA"]), Sealer(config.secrets))
    # Counted, but never too many.
    limits = Limits(*["1000000/second"] * 7)
    AuthService(config, store, limits=limits).install(app)
