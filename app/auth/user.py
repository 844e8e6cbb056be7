"""The claims of a user, as a mapping with typed keys, and which of them leave the server."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from typing import Any, Required, TypedDict, cast

from .errors import ConfigError


class Address(TypedDict, total=False):
    """The claim `address` (OpenID Connect Core section 5.1.1). All values are texts."""

    formatted: str
    street_address: str
    locality: str
    region: str
    postal_code: str
    country: str


class User(TypedDict, total=False):
    """The claims of a user: the standard ones (OpenID Connect Core section 5.1).

    It is a plain `dict` with what the provider sent. Only `sub` is always there; read any other
    claim with `get`. Name the claims of your own provider in a subclass, and annotate the handler
    of `on_user_change` with it:

        class Employee(User, total=False):
            department: str

    A claim whose name is no identifier, such as `https://example.com/roles`, can be read with
    `user.get("https://example.com/roles")`.

    `birthdate` is `YYYY-MM-DD`, or `YYYY`; the year `0000` means that it is withheld. `zoneinfo` is
    a name of the time zone database, `locale` a BCP 47 language tag. `updated_at` is in epoch
    seconds; Auth0 sends an ISO 8601 text instead.
    """

    sub: Required[str]
    name: str
    given_name: str
    family_name: str
    middle_name: str
    nickname: str
    preferred_username: str
    profile: str
    picture: str
    website: str
    email: str
    email_verified: bool
    gender: str
    birthdate: str
    zoneinfo: str
    locale: str
    phone_number: str
    phone_number_verified: bool
    address: Address
    updated_at: float | str


def copy_of(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deep copy of claims, or of other JSON."""
    # Most claims are immutable texts and numbers, which need no copy.
    return {
        name: copy.deepcopy(value) if isinstance(value, dict | list) else value
        for name, value in claims.items()
    }


class PublicClaims:
    """Selects the claims that reach `AuthState.user` and `/auth/profile`: the standard ones, and
    those named in `names`. All others stay on the server.

    Raises:
        ConfigError: `names` is a text and not a list of texts.
    """

    def __init__(self, names: Collection[str] = ()) -> None:
        if isinstance(names, str):
            raise ConfigError(f'public_claims is a list of names: ["{names}"].')
        self._names = User.__annotations__.keys() | set(names)

    def of(self, claims: Mapping[str, Any]) -> User:
        """Return a copy of these claims of a user."""
        names = self._names
        return cast(User, copy_of({n: value for n, value in claims.items() if n in names}))
