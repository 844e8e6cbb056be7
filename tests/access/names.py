"""`python -m tests.access.names`: what the surface report leaves out, of the app in this folder."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from typing import Any

import reflex as rx
from reflex.config import get_config
from reflex.utils.format import json_dumps
from reflex_base.registry import RegistrationContext


def handlers() -> dict[str, list[str]]:
    """The full name of each event handler, and the names of its arguments."""
    return {
        name: list(inspect.signature(registered.handler.fn).parameters)[1:]
        for name, registered in RegistrationContext.get().event_handlers.items()
    }


def defaults() -> Any:
    """What each State's variables are before anything has happened, as a browser is told."""
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    return json.loads(json_dumps(root.dict(initial=True)))


if __name__ == "__main__":
    importlib.import_module(get_config().module)
    sys.stdout.write(json.dumps({"handlers": handlers(), "defaults": defaults()}))
