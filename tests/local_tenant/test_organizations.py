"""Who may log in: blocked users, members of organizations, invited users."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from ..flow.world import through_the_pages
from .administrator import admin_of
from .visitor import ALICE, BOB, Visitor, answer, query_of

ACME = "org_65a4f1c2d3e4b5a6"


async def test_blocked_user(visitor: Visitor) -> None:
    """A blocked user is refused with Auth0's words, also with a session and a refresh token from
    before; a wrong password tells nothing of it."""
    page = str((await visitor.authorize(audience=None)).headers["location"])
    wrong = {"username": "blocked@example.com", "password": "wrong"}
    assert "blocked" not in (await visitor.browser.post(page, data=wrong)).text.replace(
        "blocked@example.com", ""
    )
    right = {"username": "blocked@example.com", "password": "password"}
    refused = answer(await visitor.browser.post(page, data=right))
    assert (refused["error"], refused["error_description"]) == ("unauthorized", "user is blocked")
    async with visitor.client() as visitor.browser:
        refresh_token = (await visitor.tokens())["refresh_token"]
        body = {"blocked": True}
        await admin_of(visitor).call("PATCH", "/users/{}", ALICE, body=body)
        assert (await visitor.refresh(refresh_token)).status_code in (400, 403)
        silent = answer(await visitor.authorize(prompt="none"))
        assert silent["error"] == "unauthorized"


@pytest.mark.parametrize("name", [ACME, "acme", "ACME"])
async def test_organization(visitor: Visitor, name: str) -> None:
    """A member logs in for an organization, by id or name; its claims are in the ID token, in the
    access token, and after a refresh."""
    url = visitor.authorize_url(organization=name)
    url = await through_the_pages(visitor.browser, url)
    tokens = (await visitor.redeem(query_of(url)["code"])).json()
    refreshed = (await visitor.refresh(tokens["refresh_token"])).json()
    for each in (tokens, refreshed):
        for token in (each["id_token"], each["access_token"]):
            claims = (await visitor.decoded(token)).claims
            assert (claims["org_id"], claims["org_name"]) == (ACME, "acme")


@pytest.mark.parametrize(
    ("organization", "error"),
    [("acme", "access_denied"), ("nobody-inc", "invalid_request"), ("org_x", "invalid_request")],
)
async def test_no_member(visitor: Visitor, organization: str, error: str) -> None:
    """Who is not a member, and an organization that is not there, is refused."""
    url = visitor.authorize_url(organization=organization)
    url = await through_the_pages(visitor.browser, url, email="bob@example.com")
    assert query_of(url)["error"] == error


async def test_invitation(visitor: Visitor) -> None:
    """An invitation makes the invited user a member, once; it is of no use to another user."""
    invitation = {
        "inviter": {"name": "Alice"},
        "invitee": {"email": "bob@example.com"},
        "client_id": "local-app",
    }
    admin = admin_of(visitor)
    invited = await admin.call("POST", "/organizations/{}/invitations", ACME, body=invitation)
    ticket = parse_qs(urlsplit(invited.json()["invitation_url"]).query)["invitation"][0]
    login = visitor.authorize_url(organization=ACME, invitation=ticket)
    async with visitor.client() as stranger:
        url = await through_the_pages(stranger, login, email="carol@example.com")
    assert query_of(url)["error"] == "access_denied"
    url = await through_the_pages(visitor.browser, login, email="bob@example.com")
    assert (await visitor.claims_at(url))["org_id"] == ACME
    members = await admin.get("/organizations/{}/members", ACME)
    assert BOB in {member["user_id"] for member in members}


@pytest.mark.parametrize(
    ("usage", "organization", "text"),
    [("require", None, "is required"), ("deny", "acme", "is not allowed")],
)
async def test_organization_usage(
    visitor: Visitor, usage: str, organization: str | None, text: str
) -> None:
    """An application may require an organization, or refuse any."""
    admin = admin_of(visitor)
    await admin.call("PATCH", "/clients/{}", "local-app", body={"organization_usage": usage})
    url = visitor.authorize_url(organization=organization)
    parameters = query_of(await through_the_pages(visitor.browser, url))
    assert text in parameters["error_description"]
