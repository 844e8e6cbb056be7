"""What the unmodified auth0-server-python and auth0-api-python bring at the tenant, as JSON.

`python server_python.py DOMAIN REDIRECT_URI AUDIENCE` reads callback URLs, one a line, for the URLs
that it prints; after the logout URL it reads the logout token that the tenant has sent.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from typing import Any

from auth0_api_python import ApiClient, ApiClientOptions
from auth0_server_python.auth_server.server_client import ServerClient
from auth0_server_python.auth_types import LogoutOptions, StartInteractiveLoginOptions
from auth0_server_python.store.abstract import StateStore, TransactionStore


class Memory(StateStore, TransactionStore):
    """Keeps one session and its transaction."""

    def __init__(self) -> None:
        super().__init__({"secret": "a secret of at least thirty-two characters"})
        self.kept: dict[str, Any] = {}

    async def set(self, identifier: str, state: Any, *_: Any, **__: Any) -> None:
        self.kept[identifier] = state

    async def get(self, identifier: str, *_: Any, **__: Any) -> Any:
        return self.kept.get(identifier)

    async def delete(self, identifier: str, *_: Any, **__: Any) -> None:
        self.kept.pop(identifier, None)

    async def delete_by_logout_token(self, claims: dict[str, Any], *_: Any, **__: Any) -> None:
        self.kept = {"ended": claims["sid"]}


def answer(url: str) -> str:
    """What the test reads back for a URL."""
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()
    return sys.stdin.readline().strip()


async def main(domain: str, redirect_uri: str, audience: str) -> dict[str, Any]:
    """What each call brought."""
    sessions = Memory()
    client = ServerClient(
        domain=domain,
        client_id="local-app",
        client_secret="local-secret",
        redirect_uri=redirect_uri,
        secret="a secret of at least thirty-two characters",
        transaction_store=Memory(),
        state_store=sessions,
        authorization_params={
            "scope": "openid profile email offline_access",
            "audience": audience,
        },
    )
    brought: dict[str, Any] = {}
    for push in (False, True):
        options = StartInteractiveLoginOptions(pushed_authorization_requests=push)
        url = await client.start_interactive_login(options)
        await client.complete_interactive_login(answer(url))
        user = await client.get_user()
        brought["pushed" if push else "login"] = user["email"] if user else None
    session = await client.get_session()
    token = await client.get_access_token()
    at_google = {"connection": "google-oauth2"}
    brought["connection"] = await client.get_access_token_for_connection(at_google)
    try:
        await client.get_access_token_for_connection({"connection": "github"})
    except Exception as error:
        brought["no connection"] = str(error)
    refreshed = await client.get_token_by_refresh_token({"refresh_token": session["refresh_token"]})
    brought["refresh"] = refreshed["access_token"] != token
    brought |= await exchanges(domain, audience, token)
    api = ApiClient(ApiClientOptions(domain=domain, audience=audience))
    claims = await api.verify_access_token(token)
    brought["api"] = claims["sub"]
    try:
        await api.verify_access_token(f"{token[:-4]}AAAA")
    except Exception as error:
        brought["tampered"] = type(error).__name__
    home = redirect_uri.partition("/auth")[0]
    logout_token = answer(await client.logout(LogoutOptions(return_to=home)))
    await client.handle_backchannel_logout(logout_token)
    brought["ended"] = sessions.kept["ended"] == user_sid(logout_token)
    return brought


async def exchanges(domain: str, audience: str, token: str) -> dict[str, Any]:
    """What an API gets for the access token that was sent to it."""
    api = ApiClient(
        ApiClientOptions(
            domain=domain,
            audience=audience,
            client_id="api",
            client_secret="secret-of-the-api",
        )
    )
    orders = "https://orders.example/"
    obo = await api.get_token_on_behalf_of(token, orders, "read:orders")
    at_google = await api.get_access_token_for_connection(
        {"connection": "google-oauth2", "access_token": token}
    )
    of_orders = ApiClient(ApiClientOptions(domain=domain, audience=orders))
    claims = await of_orders.verify_access_token(obo["access_token"])
    brought = {
        "on behalf of": [claims["sub"], claims["act"], obo["scope"]],
        "connection of an api": at_google["access_token"],
    }
    try:
        await api.get_token_on_behalf_of(token, "https://unknown.example/")
    except Exception as error:
        brought["unknown api"] = str(error)
    return brought


def user_sid(token: str) -> str:
    """The `sid` of a logout token, not checked."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))["sid"]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(*sys.argv[1:]))) + "\n")
