"""The three users of every new tenant."""

from __future__ import annotations

import json
from typing import Any

PASSWORD = "password"  # noqa: S105 - the published password of a development tool
CREATED_AT = "2024-01-15T09:30:00.000Z"


def _user(user_id: str, name: str, metadata: dict[str, Any] | None) -> dict[str, Any]:
    given_name, family_name = name.split()
    nickname = given_name.lower()
    return {
        "user_id": f"auth0|{user_id}",
        "email": f"{nickname}@example.com",
        "profile": {
            "name": name,
            "given_name": given_name,
            "family_name": family_name,
            "nickname": nickname,
        },
        "user_metadata": metadata,
    }


USERS = (
    _user(
        "65a4f1c2d3e4b5a697887901",
        "Alice Liddell",
        {"theme": "light", "favourite_colour": "teal", "newsletter": {"weekly": True}},
    ),
    _user("65a4f1c2d3e4b5a697887902", "Bob Builder", None),
    _user("65a4f1c2d3e4b5a697887903", "Carol Danvers", {"theme": "dark"}),
)

CODES = {"auth0|65a4f1c2d3e4b5a697887903": "123456"}
"""The fixed codes of the users with a second step, for development only."""


def rows() -> list[tuple[str, str, str, str | None, str, str]]:
    """The rows of the `users` table."""
    return [
        (
            user["user_id"],
            user["email"],
            json.dumps(user["profile"]),
            None if user["user_metadata"] is None else json.dumps(user["user_metadata"]),
            CREATED_AT,
            CREATED_AT,
        )
        for user in USERS
    ]
