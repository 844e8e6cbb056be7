"""Subscriptions to the user, like `auth.user$.pipe(...)` in the Angular SDK."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

import httpx
import reflex as rx
from reflex.event import Event, EventCallback
from reflex.state import BaseState
from reflex_base.event import EventHandler

from ..access.policy import PUBLIC
from ..errors import StoreUnavailable
from ..http.prefetching import Loader
from .access_rules import mark
from .guard import CurrentUser, State

logger = logging.getLogger(__name__)

Claims = TypeVar("Claims", bound=Mapping[str, Any] | None)
"""The type that a handler gives to the claims: `User`, an app's own subclass of it, or `dict`."""
UserHandler = Callable[[State, Claims | None], Awaitable[None]]
TokenHandler = Callable[[State], Awaitable[None]]

Known = TypeVar("Known", bound=Mapping[str, Any])
"""The type that a loader gives to the claims."""
Result = TypeVar("Result")
UserLoader = Callable[[httpx.AsyncClient, Known], Awaitable[Result]]
LoadingHandler = Callable[[State, Claims | None, Callable[[], Awaitable[Result]]], Awaitable[None]]
"""The handler beside a loader. Its third argument returns what the loader returns."""
Load = Callable[[Any, str, Loader], Awaitable[Any]]
"""Returns the result of a loader for the State of a tab, by the full name of the event."""

_MARK = "_auth_on_user_change"
_TOKEN_MARK = "_auth_on_token_refresh"  # noqa: S105
_LOADER = "_auth_prefetch"


def subscribe(handler: UserHandler[State, Claims], current_user: CurrentUser) -> EventCallback[()]:
    """Make `handler(self, user)` a background event that the session middleware starts.

    The user is looked up when it runs, and is never an argument of the event: a client can call any
    event with any arguments. A new run supersedes an unfinished one, so that the latest claims win.
    An exception ends that one run only.
    """

    async def run(self: Any, user: Any) -> None:
        await handler(self, cast(Claims, user))

    return _subscription(run, handler, current_user)


def subscribe_loading(
    handler: LoadingHandler[State, Claims, Result],
    loader: UserLoader[Known, Result],
    current_user: CurrentUser,
    load: Load,
) -> EventCallback[()]:
    """The same for `handler(self, user, load)`, whose `load()` is what `loader` returns, perhaps
    from the handshake on. Raises `TypeError` if `loader` is no function."""
    if not callable(loader):
        raise TypeError(
            f"prefetch={loader!r}: it takes an async function (http, user) that loads what the "
            "handler shows."
        )

    async def run(self: Any, user: Any) -> None:
        name = f"{self.get_full_name()}.{handler.__name__}"
        await handler(self, cast(Claims, user), functools.partial(load, self, name, loader))

    return _subscription(run, handler, current_user, **{_LOADER: loader})


def _subscription(
    handle: Callable[[Any, Any], Awaitable[None]],
    handler: Callable[..., Any],
    current_user: CurrentUser,
    **marks: Any,
) -> EventCallback[()]:
    async def run(self: Any) -> None:
        try:
            user = await current_user(self)
        except StoreUnavailable as error:
            logger.warning("%s did not run: %s", handler.__qualname__, error.code)
            return
        await handle(self, user)

    return _subscribed(run, handler, {_MARK: True, **marks})


def subscribe_to_tokens(handler: TokenHandler[State]) -> EventCallback[()]:
    """Make `handler(self)` a background event that runs when an access token was renewed."""

    async def run(self: Any) -> None:
        await handler(self)

    return _subscribed(run, handler, {_TOKEN_MARK: True})


def _subscribed(
    run: Any, handler: Callable[..., Any], marks: Mapping[str, Any]
) -> EventCallback[()]:
    # Not functools.wraps: Reflex would follow __wrapped__ and offer `user` as an argument.
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(run, name, getattr(handler, name))
    run.__dict__.update(marks)
    # Public: it also runs without a user, and only ever for the user of its own tab.
    return rx.event(background=True, supersedes=True)(mark(run, PUBLIC))


def subscribed_events(*, to_tokens: bool = False) -> Iterator[Event]:
    """Yield an event for each handler of every State that is subscribed to the user, or to the
    tokens."""
    for _, handler in _subscribed_handlers(_TOKEN_MARK if to_tokens else _MARK):
        yield from Event.from_event_type(handler())


def loaders() -> dict[str, Loader]:
    """The loaders of the subscribed handlers that have one, by the full names of their events."""
    every = ((name, getattr(each.fn, _LOADER, None)) for name, each in _subscribed_handlers(_MARK))
    return {name: loader for name, loader in every if loader is not None}


def _subscribed_handlers(name_of_mark: str) -> Iterator[tuple[str, EventHandler]]:
    for state in _all_states(rx.State):
        for name, handler in state.event_handlers.items():
            # A handler that a State inherits runs on the State that defines it.
            if (
                getattr(handler.fn, name_of_mark, False)
                and handler.state_full_name == state.get_full_name()
            ):
                yield f"{state.get_full_name()}.{name}", handler


def _all_states(state: type[BaseState]) -> Iterator[type[BaseState]]:
    yield state
    for child in sorted(state.get_substates(), key=lambda child: child.get_full_name()):
        yield from _all_states(child)
