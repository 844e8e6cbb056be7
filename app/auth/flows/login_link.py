"""What a link to `/auth/login` may request: parameters, audience, scope, and the return path."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from urllib.parse import quote, unquote, urlsplit

from ..config import AuthorizationParams
from ..errors import LoginLinkError
from ..session import LoginMode, Session

logger = logging.getLogger(__name__)

# Scopes of the user and the login, not of an API (OpenID Connect Core sections 5.4 and 11).
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
    """Return the audience and scope to request when a link names `audience` and `scope`.

    The new token replaces the session's token for the audience, so the scope of that token is
    requested again.

    Raises:
        LoginLinkError: no API of this app has the audience, or this app does not use the scope.
    """
    wanted = audience or params.audience
    if audience is not None and audience != params.audience and audience not in audiences:
        raise LoginLinkError("The link asks for an audience that this app does not call.")
    asked = _asked(scope, params)
    default = params.scope.split()
    # The configured API scopes belong to the default audience; another API does not know them.
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
_MAXIMUM_LENGTH = 8192  # characters
_ASCII = "".join(map(chr, range(128)))


def safe_return_to(text: str | None) -> str:
    """Return `text` if every browser reads it as a page on this origin, else "/". Characters that
    are not ASCII are percent-encoded, as browsers do it.

    This refuses absolute and scheme-relative URLs, backslashes (browsers read them as slashes),
    control characters and white space (browsers drop them), `..` that leads above the app (which
    may have a path of its own, beside other apps), and the auth layer's own routes, which would
    loop.
    """
    if not text:
        return DEFAULT_RETURN_TO
    try:
        text = quote(text, safe=_ASCII)
    except UnicodeEncodeError:  # half of a surrogate pair
        return DEFAULT_RETURN_TO
    if len(text) > _MAXIMUM_LENGTH:
        logger.warning("A login does not return to a path of %d characters.", len(text))
        return DEFAULT_RETURN_TO
    if not text.startswith("/") or text.startswith("//") or "\\" in text:
        return DEFAULT_RETURN_TO
    if any(character <= " " or character == "\x7f" for character in text):
        return DEFAULT_RETURN_TO
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or is_route(parts.path) or _steps(parts.path) is None:
        return DEFAULT_RETURN_TO
    return text


def is_route(path: str) -> bool:
    """Whether a path is one of this layer's own routes, in any spelling that reaches them."""
    return (_steps(path) or [])[:1] == ["auth"]


def _steps(path: str) -> list[str] | None:
    """The segments of a path as browsers resolve it (RFC 3986 section 5.2.4); None if it leads
    above its root."""
    resolved: list[str] = []
    for step in unquote(path).split("/"):
        if step == ".." and not resolved:
            return None
        if step == "..":
            resolved.pop()
        elif step not in ("", "."):
            resolved.append(step)
    return resolved


def page_of(target: str) -> str:
    """Return the path of a page without its query, which may hold private data."""
    return urlsplit(target).path


_DISPLAYS = frozenset({"page", "popup", "touch", "wap"})
_PROMPTS = frozenset({"none", "login", "consent", "select_account", "create"})
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
_WORDS = re.compile(r"[\x21-\x7e]+( [\x21-\x7e]+)*")
_NAME = re.compile(r"[A-Za-z0-9_\-.]{1,128}")
_LANGUAGES = re.compile(r"[A-Za-z0-9-]{1,35}( [A-Za-z0-9-]{1,35})*")  # BCP 47
_SECONDS = re.compile(r"\d{1,9}")


def login_parameters(params: AuthorizationParams, query: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters to send to the provider: those of the link, and the fixed ones.

    Names that are not in `params.link_parameters` are ignored: mail and chat programs add
    parameters to links. A fixed parameter wins over the link's.

    Raises:
        LoginLinkError: a value is not well-formed. The message names the parameter.
    """
    chosen = {
        name: query[name] for name in params.link_parameters & _FORMS.keys() if query.get(name)
    }
    for name, value in chosen.items():
        if not _FORMS[name](value):
            raise LoginLinkError(f"The link's {name} is not well-formed.")
    return {**chosen, **dict(params.fixed_parameters)}


def login_mode(params: AuthorizationParams, query: Mapping[str, str]) -> LoginMode:
    """Where the login of a link with these parameters takes place: in a popup if the link says
    `display=popup`, silently if the provider is sent `prompt=none`."""
    if query.get("display") == "popup":
        return LoginMode.POPUP
    prompt = query.get("prompt") if "prompt" in params.link_parameters else None
    is_silent = dict(params.fixed_parameters).get("prompt", prompt) == "none"
    return LoginMode.SILENT if is_silent else LoginMode.REDIRECT


_MOST_PARAMETERS = 20
_LONGEST_PARAMETERS = 2000  # characters of all names and values


def kept_parameters(query: Mapping[str, str]) -> dict[str, str]:
    """Return the query of a link for the app's hook: without the return path, and without what is
    beyond 20 parameters or 2,000 characters."""
    kept: dict[str, str] = {}
    length = 0
    for name, value in query.items():
        length += len(name) + len(value)
        if name in ("return_to", "target_link_uri", "connected_at"):
            length -= len(name) + len(value)
        elif len(kept) < _MOST_PARAMETERS and length <= _LONGEST_PARAMETERS:
            kept[name] = value
    return kept


def requested_acr_values(params: AuthorizationParams, sent: Mapping[str, str]) -> str | None:
    """Return the `acr_values` that the ID token has to meet: those of the link.

    As a fixed parameter, `acr_values` is the voluntary request that OpenID Connect Core section
    3.1.2.1 describes: with a provider that ignores it, every login would fail. The checks of the
    app decide then.
    """
    return None if "acr_values" in dict(params.fixed_parameters) else sent.get("acr_values")


def check_issuer(query: Mapping[str, str], issuer: str) -> None:
    """Check the `iss` of a login that a third party starts (OpenID Connect Core section 4).

    Raises:
        LoginLinkError: `iss` is not the issuer of this app.
    """
    if query.get("iss", issuer) != issuer:
        raise LoginLinkError("The link is for another login provider than this app's.")


def _is_prompt(value: str) -> bool:
    """Whether all values are known; `none` excludes any other (section 3.1.2.1)."""
    words = set(value.split(" "))
    return words <= _PROMPTS and ("none" not in words or len(words) == 1)


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: len(value) <= 1000 and pattern.fullmatch(value) is not None


_FORMS: dict[str, Callable[[str], bool]] = {
    "acr_values": _matches(_WORDS),
    "connection": _matches(_TEXT),
    "display": _DISPLAYS.__contains__,
    "invitation": _matches(_NAME),
    "login_hint": _matches(_TEXT),
    "max_age": _matches(_SECONDS),
    "organization": _matches(_NAME),
    "prompt": _is_prompt,
    "screen_hint": _matches(_NAME),
    "ui_locales": _matches(_LANGUAGES),
}
