"""The UserInfo endpoint: OpenID Connect Core section 5.3."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import Any

import httpx

from ..dpop import TOKEN_TYPE, Proofs
from ..errors import ProviderError
from .proven_request import send_with_proof
from .provider_http import json_object, send

# Claims that a scope requests (section 5.4). If an ID token has none of them, ask UserInfo.
_REQUESTED_CLAIMS = {
    "profile": frozenset({"name", "given_name", "family_name", "nickname", "preferred_username"}),
    "email": frozenset({"email"}),
    "address": frozenset({"address"}),
    "phone": frozenset({"phone_number"}),
}


class UserInfoRefusedError(ProviderError):
    """The UserInfo endpoint does not accept the access token."""


def is_complete(claims: Collection[str], scope: str) -> bool:
    """Whether an ID token with these claims has what the scopes request.

    Many providers return the user's claims at UserInfo only.
    """
    requested = (_REQUESTED_CLAIMS.get(name) for name in scope.split())
    return all(names is None or names & set(claims) for names in requested)


async def userinfo(
    client: httpx.AsyncClient,
    userinfo_endpoint: str,
    *,
    access_token: str,
    sub: str,
    dpop: Proofs | None = None,
) -> Mapping[str, Any]:
    """The claims of the user `sub` at the UserInfo endpoint. `dpop` is for a token that is bound to
    its key.

    Raises:
        UserInfoRefusedError: it does not accept this access token. Some accept none for an API.
        ProviderError: the response is not a JSON object, or is of another user (section 5.3.2).
        ProviderUnavailable: no response.
    """
    status, body = await _get(client, userinfo_endpoint, access_token, dpop)
    if status != 200:
        raise UserInfoRefusedError(f"The UserInfo endpoint answered {status}.")
    claims = json_object(body, purpose="userinfo")
    if claims.get("sub") != sub:
        raise ProviderError("UserInfo describes another user.", code="userinfo_mismatch")
    return claims


async def _get(
    client: httpx.AsyncClient, url: str, access_token: str, dpop: Proofs | None
) -> tuple[int, bytes]:
    token_type = "Bearer" if dpop is None else TOKEN_TYPE
    headers = {"Authorization": f"{token_type} {access_token}"}
    build = functools.partial(client.build_request, "GET", url, headers=headers)
    if dpop is None:
        return await send(client, build(), purpose="userinfo")
    return await send_with_proof(
        client,
        build,
        dpop,
        purpose="userinfo",
        demands_nonce=lambda status, _: status == 401,
        access_token=access_token,
    )
