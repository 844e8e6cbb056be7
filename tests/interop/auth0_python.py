"""Calls the Management API with the unmodified auth0-python, in an environment that has it.

`python auth0_python.py <tenant URL> <token>` prints what each call brought, as JSON. The package
speaks https only: its HTTP client gets a transport that sends each request to the tenant.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import httpx
from auth0.management import ManagementClient
from auth0.management.errors import ConflictError, NotFoundError

ALICE = "auth0|65a4f1c2d3e4b5a697887901"


class ToTheTenant(httpx.HTTPTransport):
    """Sends every request by http to the tenant."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        tenant = self._url
        request.url = request.url.copy_with(scheme="http", host=tenant.host, port=tenant.port)
        request.headers["host"] = f"{tenant.host}:{tenant.port}"
        return super().handle_request(request)


def main(url: str, token: str) -> dict[str, Any]:
    """What each call brought."""
    http = httpx.Client(transport=ToTheTenant(url))
    client = ManagementClient(domain="tenant.example", token=token, httpx_client=http)
    users = client.users
    brought: dict[str, Any] = {
        "get": users.get(ALICE, fields="email", include_fields=True).email,
        "list": [user.email for user in users.list(per_page=2, sort="email:1")],
        "search": [user.email for user in users.list(q='email:"alice@example.com"')],
        "by email": [user.user_id for user in users.list_users_by_email(email="bob@example.com")],
    }
    new = users.create(
        connection="Username-Password-Authentication",
        email="dora@example.com",
        password="correct-horse",
        user_metadata={"theme": "dark"},
    )
    brought["create"] = new.email
    try:
        users.create(
            connection="Username-Password-Authentication",
            email="dora@example.com",
            password="correct-horse",
        )
    except ConflictError as error:
        brought["conflict"] = error.body["message"]
    brought["update"] = users.update(
        new.user_id, user_metadata={"theme": None, "n": 1}
    ).user_metadata
    role = client.roles.create(name="reader")
    users.roles.assign(new.user_id, roles=[role.id])
    brought["roles"] = [each.name for each in users.roles.list(new.user_id)]
    brought["sessions"] = list(users.sessions.list(new.user_id))
    accounts = users.connected_accounts.list(ALICE)
    brought["accounts"] = [account.connection for account in accounts]
    brought["logs"] = list(users.logs.list(new.user_id))
    organization = client.organizations.create(name="orders", display_name="Orders")
    client.organizations.members.create(organization.id, members=[new.user_id])
    members = client.organizations.members.list(organization.id)
    brought["members"] = [member.email for member in members]
    ticket = client.tickets.verify_email(user_id=new.user_id).ticket
    brought["ticket"] = "/u/email-verification?ticket=" in ticket
    users.delete(new.user_id)
    try:
        users.get(new.user_id)
    except NotFoundError as error:
        brought["deleted"] = error.body["errorCode"]
    brought["clients"] = sorted(each.client_id for each in client.clients.list())
    brought["apis"] = len(list(client.resource_servers.list()))
    return brought


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
