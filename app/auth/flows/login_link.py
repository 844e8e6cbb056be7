"""What a link to `/auth/login` may choose: parameters, audience and scope, and where it ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

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


DEFAULT_RETURN_TO = "/"
_MAXIMUM_LENGTH = 2048


def safe_return_to(text: str | None) -> str:
    """`text` if it can only mean a page on this origin, else "/".

    Refused are absolute and scheme-relative URLs, backslashes (browsers read them as slashes),
    control characters and white space (browsers drop them), and the auth layer's own routes, which
    would loop.
    """
    if not text or len(text) > _MAXIMUM_LENGTH or not text.isascii():
        return DEFAULT_RETURN_TO
    if not text.startswith("/") or text.startswith("//") or "\\" in text:
        return DEFAULT_RETURN_TO
    if any(character <= " " or character == "\x7f" for character in text):
        return DEFAULT_RETURN_TO
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or parts.path == "/auth" or parts.path.startswith("/auth/"):
        return DEFAULT_RETURN_TO
    return text


def page_of(target: str) -> str:
    """The page without its query, which may hold what is nobody's business but the page's."""
    return urlsplit(target).path


_PROMPTS = frozenset({"none", "login", "consent", "select_account", "create"})
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
_WORDS = re.compile(r"[\x21-\x7e]+( [\x21-\x7e]+)*")
_NAME = re.compile(r"[A-Za-z0-9_\-.]{1,128}")
_LANGUAGES = re.compile(r"[A-Za-z0-9-]{1,35}( [A-Za-z0-9-]{1,35})*")  # BCP 47
_SECONDS = re.compile(r"\d{1,9}")


def login_parameters(params: AuthorizationParams, query: Mapping[str, str]) -> dict[str, str]:
    """Of a link's `query` what goes along to the provider, and what goes along with every login.

    What is not on the list of `params.link_parameters` is left out: links gather all sorts of
    things on their way.

    Raises:
        LoginLinkError: a value that is not well-formed; the message names the parameter.
    """
    chosen = {
        name: query[name] for name in params.link_parameters & _FORMS.keys() if query.get(name)
    }
    for name, value in chosen.items():
        if not _FORMS[name](value):
            raise LoginLinkError(f"The link's {name} is not well-formed.")
    return {**chosen, **dict(params.fixed_parameters)}


def check_issuer(query: Mapping[str, str], issuer: str) -> None:
    """A login that a third party begins may say at whom (OpenID Connect Core section 4).

    Raises:
        LoginLinkError: it is not this app's provider.
    """
    if query.get("iss", issuer) != issuer:
        raise LoginLinkError("The link is for another login provider than this app's.")


def _is_prompt(value: str) -> bool:
    """`none` stands alone (section 3.1.2.1)."""
    words = set(value.split(" "))
    return words <= _PROMPTS and ("none" not in words or len(words) == 1)


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: len(value) <= 1000 and pattern.fullmatch(value) is not None


_FORMS: dict[str, Callable[[str], bool]] = {
    "acr_values": _matches(_WORDS),
    "connection": _matches(_TEXT),
    "invitation": _matches(_NAME),
    "login_hint": _matches(_TEXT),
    "max_age": _matches(_SECONDS),
    "organization": _matches(_NAME),
    "prompt": _is_prompt,
    "screen_hint": _matches(_NAME),
    "ui_locales": _matches(_LANGUAGES),
}
