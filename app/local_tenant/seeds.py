"""What a new tenant has, in the form of a seed file."""

from __future__ import annotations

from typing import Any

CREATED_AT = 1_705_311_000.0  # epoch seconds: a fixed time, so that two new tenants are alike


def _user(user_id: str, name: str, **further: Any) -> dict[str, Any]:
    given_name, family_name = name.split()
    nickname = given_name.lower()
    return {
        "user_id": f"auth0|{user_id}",
        "email": f"{nickname}@example.com",
        "name": name,
        "given_name": given_name,
        "family_name": family_name,
        "nickname": nickname,
        **further,
    }


_ALICE = {"theme": "light", "favourite_colour": "teal", "newsletter": {"weekly": True}}

_AT_GOOGLE = {
    "connection": "google-oauth2",
    "id": "117000000000000000001",
    "access_token": "fake-google-token-of-alice",
    "scopes": ["https://www.googleapis.com/auth/calendar.readonly"],
}

USERS = (
    _user(
        *("65a4f1c2d3e4b5a697887901", "Alice Liddell"),
        user_metadata=_ALICE,
        connected_accounts=[_AT_GOOGLE],
    ),
    _user("65a4f1c2d3e4b5a697887902", "Bob Builder"),
    _user("65a4f1c2d3e4b5a697887903", "Carol Danvers", user_metadata={"theme": "dark"}),
    _user("65a4f1c2d3e4b5a697887904", "Admin Istrator", roles=["admin"]),
    _user("65a4f1c2d3e4b5a697887905", "Blocked Person", blocked=True),
)

CODES = {"auth0|65a4f1c2d3e4b5a697887903": "123456"}
"""The fixed codes of the users with a second step, for development only."""


def built_in(external_audience: str) -> dict[str, Any]:
    """The seeds of every new tenant. All users have the published password."""
    return {
        "users": list(USERS),
        "roles": [
            {
                "id": "rol_65a4f1c2d3e4b5a6",
                "name": "admin",
                "description": "May do everything",
                "permissions": [{"audience": external_audience, "scope": "read:messages"}],
            }
        ],
        "organizations": [
            {
                "id": "org_65a4f1c2d3e4b5a6",
                "name": "acme",
                "display_name": "Acme Inc.",
                "members": ["alice@example.com", "admin@example.com"],
            }
        ],
    }
