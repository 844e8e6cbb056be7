"""The UserInfo endpoint: OpenID Connect Core section 5.3."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import httpx

from ..errors import ProviderError
from .http import json_object, send

# What a scope asks for (section 5.4): one of these at least, or UserInfo has to be asked.
_PROMISED = {
    "profile": frozenset({"name", "given_name", "family_name", "nickname", "preferred_username"}),
    "email": frozenset({"email"}),
    "address": frozenset({"address"}),
    "phone": frozenset({"phone_number"}),
}


class UserInfoRefusedError(ProviderError):
    """UserInfo does not take the access token."""


def is_complete(claims: Collection[str], scope: str) -> bool:
    """Whether an ID token with these claims brought what the scopes ask for.

    Many providers leave a person's claims out of the ID token and give them at UserInfo only.
    """
    promised = (_PROMISED.get(name) for name in scope.split())
    return all(names is None or names & set(claims) for names in promised)


async def userinfo(
    client: httpx.AsyncClient, userinfo_endpoint: str, *, access_token: str, sub: str
) -> Mapping[str, Any]:
    """The claims at the UserInfo endpoint, which are those of `sub`.

    Raises:
        UserInfoRefusedError: it does not take this access token; some take none that is for an API.
        ProviderError: no JSON object, or another person's claims (section 5.3.2).
        ProviderUnavailable: no answer.
    """
    request = client.build_request(
        "GET", userinfo_endpoint, headers={"Authorization": f"Bearer {access_token}"}
    )
    status, body = await send(client, request, purpose="userinfo")
    if status != 200:
        raise UserInfoRefusedError(f"The UserInfo endpoint answered {status}.")
    claims = json_object(body, purpose="userinfo")
    if claims.get("sub") != sub:
        raise ProviderError("UserInfo is about somebody else.", code="userinfo_mismatch")
    return claims
