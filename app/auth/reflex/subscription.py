"""Subscriptions to the user, like `auth.user$.pipe(...)` in the Angular SDK."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

import reflex as rx
from reflex.event import Event, EventCallback
from reflex.state import BaseState

from ..access.policy import PUBLIC
from ..errors import StoreUnavailable
from .access_rules import mark
from .guard import CurrentUser, State

logger = logging.getLogger(__name__)

Claims = TypeVar("Claims", bound=Mapping[str, Any] | None)
"""The type that a handler gives to the claims: `User`, an app's own subclass of it, or `dict`."""
UserHandler = Callable[[State, Claims | None], Awaitable[None]]
TokenHandler = Callable[[State], Awaitable[None]]
_MARK = "_auth_on_user_change"
_TOKEN_MARK = "_auth_on_token_refresh"  # noqa: S105


def subscribe(handler: UserHandler[State, Claims], current_user: CurrentUser) -> EventCallback[()]:
    """Make `handler(self, user)` a background event that the session middleware starts.

    The user is looked up when it runs, and is never an argument of the event: a client can call any
    event with any arguments. A new run supersedes an unfinished one, so that the latest claims win.
    An exception ends that one run only.
    """

    async def run(self: Any) -> None:
        try:
            user = await current_user(self)
        except StoreUnavailable as error:
            logger.warning("%s did not run: %s", handler.__qualname__, error.code)
            return
        await handler(self, cast(Claims, user))

    return _subscribed(run, handler, _MARK)


def subscribe_to_tokens(handler: TokenHandler[State]) -> EventCallback[()]:
    """Make `handler(self)` a background event that runs when an access token was renewed."""

    async def run(self: Any) -> None:
        await handler(self)

    return _subscribed(run, handler, _TOKEN_MARK)


def _subscribed(run: Any, handler: Callable[..., Any], name_of_mark: str) -> EventCallback[()]:
    # Not functools.wraps: Reflex would follow __wrapped__ and offer `user` as an argument.
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(run, name, getattr(handler, name))
    run.__dict__[name_of_mark] = True
    # Public: it also runs without a user, and only ever for the user of its own tab.
    return rx.event(background=True, supersedes=True)(mark(run, PUBLIC))


def subscribed_events(*, to_tokens: bool = False) -> Iterator[Event]:
    """Yield an event for each handler of every State that is subscribed to the user, or to the
    tokens."""
    name_of_mark = _TOKEN_MARK if to_tokens else _MARK
    for state in _all_states(rx.State):
        for handler in state.event_handlers.values():
            # A handler that a State inherits runs on the State that defines it.
            if (
                getattr(handler.fn, name_of_mark, False)
                and handler.state_full_name == state.get_full_name()
            ):
                yield from Event.from_event_type(handler())


def _all_states(state: type[BaseState]) -> Iterator[type[BaseState]]:
    yield state
    for child in sorted(state.get_substates(), key=lambda child: child.get_full_name()):
        yield from _all_states(child)
