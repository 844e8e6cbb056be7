"""What a login link may choose: some parameters of the authorization request, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ..config import AuthorizationParams
from ..errors import LoginLinkError

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
