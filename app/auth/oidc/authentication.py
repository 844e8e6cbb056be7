"""How a user authenticated at the provider: the claims `acr` and `amr` (OpenID Connect Core section
2, RFC 8176)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

MULTI_FACTOR = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
"""The authentication context class for a login with more than one factor. Auth0 knows it."""

# Methods of RFC 8176 that are a second factor beside a password: what the user has (a one-time
# code, a key in hardware or software, a smart card, a message or a call to their telephone), and
# what they are (face, fingerprint, iris, retina, voice). Alone, each is a single factor. Not among
# them: `pin` and `kba` (known, like the password), `user`, `geo`, `rba` and `wia` (no factor), and
# `mca` (a second channel may lead to the same mailbox that resets the password).
_BESIDE_PASSWORD = frozenset(
    {"hwk", "otp", "pop", "sc", "sms", "swk", "tel"} | {"face", "fpt", "iris", "retina", "vbm"}
)
_LONGEST = 512  # characters
_MOST = 32  # methods


def acr_of(claims: Mapping[str, Any]) -> str | None:
    """Return the claim `acr`; None if it is missing, not a string, or too long to be one."""
    acr = claims.get("acr")
    return acr if isinstance(acr, str) and _is_name(acr) else None


def amr_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the claim `amr`; empty if it is missing, or not a short list of strings."""
    amr = claims.get("amr")
    if not isinstance(amr, list) or len(amr) > _MOST or not all(map(_is_name, amr)):
        return ()
    return tuple(amr)


def is_multi_factor(acr: str | None, amr: Collection[str]) -> bool:
    """Whether a login had a second factor: `acr` is `MULTI_FACTOR`, or `amr` has `mfa`, or a
    password beside another kind of factor."""
    beside_password = "pwd" in amr and not _BESIDE_PASSWORD.isdisjoint(amr)
    return acr == MULTI_FACTOR or "mfa" in amr or beside_password


def meets(acr_values: str, acr: str | None, amr: Collection[str]) -> bool:
    """Whether a login has one of the requested `acr_values` (space-separated). Where `MULTI_FACTOR`
    is one of them, `amr` can say so, too: some providers send no `acr`."""
    values = acr_values.split()
    return acr in values or (MULTI_FACTOR in values and is_multi_factor(acr, amr))


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST
