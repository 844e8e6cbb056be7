"""A background handler's `self` that is bound to one user, and of no use to anybody after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from reflex.istate.proxy import StateProxy

from ..errors import StoreUnavailable

User = dict[str, Any]
CurrentUser = Callable[[Any], Awaitable[User | None]]


class UserNotConfirmed(Exception):
    """The user whom a background handler began for has gone, has changed, or cannot be looked up.

    It ends the handler; a handler need not catch it.
    """


async def look_up(current_user: CurrentUser, state: Any) -> User | None:
    """The user of the session now.

    Raises:
        UserNotConfirmed: the session cannot be read now.
    """
    try:
        return await current_user(state)
    except StoreUnavailable as error:
        raise UserNotConfirmed("The session cannot be read now.") from error


class UserBoundProxy(StateProxy):
    """`async with self` opens only while the session's user is still the one at the start.

    A background handler lets go of the tab while it waits for an API. What it then writes would
    otherwise land in front of the next user, after the reset that their arrival caused.
    """

    _self_current_user: CurrentUser | None = None
    _self_user: User | None = None

    async def __aenter__(self) -> UserBoundProxy:
        """Take the tab's lock, then look at the session anew.

        Raises:
            UserNotConfirmed: nothing can be written for this user any more.
        """
        await super().__aenter__()
        try:
            await self._confirm_user()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def _confirm_user(self) -> None:
        # A state that was reached through this one has no lookup: it enters by way of this one.
        if self._self_current_user is None:
            return
        user = await look_up(self._self_current_user, self)
        if user != self._self_user:
            raise UserNotConfirmed("The user has gone or changed.")


def bind_to_user(state: Any, user: User | None, current_user: CurrentUser) -> Any:
    """A background handler's `state`, bound to `user`; any other handler's as it is.

    It enters by way of the proxy that Reflex made, which so knows that it was entered: of a handler
    that never was, Reflex sends the changes itself, with a second lock of the tab.
    """
    if not isinstance(state, StateProxy):
        return state
    proxy = UserBoundProxy(state.__wrapped__, parent_state_proxy=state)
    proxy._self_current_user, proxy._self_user = current_user, user
    return proxy
