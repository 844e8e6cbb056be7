"""What a login asks for: the app's default, or one more audience or scope on top of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from ..config import AuthorizationParams
from ..errors import LoginLinkError
from ..session import Session

# About the person and the login, not about an API (OpenID Connect Core sections 5.4 and 11).
_IDENTITY = frozenset({"openid", "profile", "email", "address", "phone", "offline_access"})
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e ]{0,1000}")  # RFC 6749 section 3.3


def login_scope(
    params: AuthorizationParams,
    audiences: Collection[str],
    session: Session | None,
    *,
    audience: str | None,
    scope: str | None,
) -> AuthorizationParams:
    """What to ask the provider for when a link names `audience` and `scope`.

    A token replaces the one that the session has for its audience, so what that one has is asked
    for again.

    Raises:
        LoginLinkError: an audience of no API of this app, or a scope that it has no use for.
    """
    wanted = audience or params.audience
    if audience is not None and audience != params.audience and audience not in audiences:
        raise LoginLinkError("The link asks for an audience that this app does not call.")
    asked = _asked(scope, params)
    default = params.scope.split()
    usual = default if wanted == params.audience else [s for s in default if s in _IDENTITY]
    held = session.covering(wanted or "", None) if session else None
    scopes = [*usual, *(held.scope.split() if held else ()), *asked]
    return replace(params, audience=wanted, scope=" ".join(dict.fromkeys(scopes)))


def _asked(scope: str | None, params: AuthorizationParams) -> list[str]:
    if scope is not None and not _SCOPE.fullmatch(scope):
        raise LoginLinkError("The link's scope is not a list of scopes.")
    asked = (scope or "").split()
    if params.optional_scope is not None:
        usable = {*params.scope.split(), *params.optional_scope.split(), *_IDENTITY}
        if not usable.issuperset(asked):
            raise LoginLinkError("The link asks for a scope that this app does not use.")
    return asked
