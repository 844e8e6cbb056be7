"""The claims of a user, as a mapping with typed keys."""

from __future__ import annotations

from typing import Required, TypedDict


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
