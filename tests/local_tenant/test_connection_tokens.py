"""Auth0's exchange for a user's access token at another provider."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from .administrator import Administrator
from .visitor import ALICE, CLIENT, Visitor

GRANT = "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token"
CONNECTION_TOKEN = "http://auth0.com/oauth/token-type/federated-connection-access-token"
REFRESH_TOKEN = "urn:ietf:params:oauth:token-type:refresh_token"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
NOT_FOUND = {
    "error": "federated_connection_refresh_token_not_found",
    "error_description": "Federated connection Refresh Token not found.",
}


async def exchange(
    visitor: Visitor, token: str, *, auth: Any = CLIENT, **changes: str | None
) -> httpx.Response:
    """The answer to a request for a token at Google."""
    form: dict[str, str | None] = {
        "subject_token": token,
        "subject_token_type": REFRESH_TOKEN,
        "requested_token_type": CONNECTION_TOKEN,
        "connection": "google-oauth2",
        **changes,
    }
    return await visitor.token(auth=auth, grant_type=GRANT, **form)


async def test_token(visitor: Visitor) -> None:
    """Alice's token at Google comes for a refresh token, which stays in use, and for an access
    token."""
    tokens = await visitor.tokens()
    for token, kind in (
        (tokens["refresh_token"], REFRESH_TOKEN),
        (tokens["refresh_token"], REFRESH_TOKEN),
        (tokens["access_token"], ACCESS_TOKEN),
    ):
        response = await exchange(visitor, token, subject_token_type=kind)
        assert response.status_code == 200
        assert response.json() == {
            "access_token": "fake-google-token-of-alice",
            "scope": "https://www.googleapis.com/auth/calendar.readonly",
            "expires_in": 3599,
            "issued_token_type": CONNECTION_TOKEN,
            "token_type": "Bearer",
        }
    assert (await visitor.refresh(tokens["refresh_token"])).status_code == 200


async def test_no_account(visitor: Visitor) -> None:
    """Without an account there, the answer is Auth0's; with another id there, too."""
    token = (await visitor.tokens())["refresh_token"]
    missing = await exchange(visitor, token, connection="github")
    assert (missing.status_code, missing.json()) == (401, NOT_FOUND)
    other = await exchange(visitor, token, login_hint="1")
    assert (other.status_code, other.json()["error"]) == (401, "user_not_found")
    assert (await exchange(visitor, token, login_hint="117000000000000000001")).status_code == 200


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"subject_token": "x"}, 403, "invalid_grant"),
        ({"subject_token": None}, 400, "invalid_request"),
        ({"subject_token_type": "urn:x"}, 400, "invalid_request"),
        ({"subject_token_type": ACCESS_TOKEN}, 400, "invalid_request"),
        ({"requested_token_type": ACCESS_TOKEN}, 400, "invalid_request"),
        ({"connection": None}, 400, "invalid_request"),
    ],
)
async def test_bent_request(
    visitor: Visitor, changes: dict[str, str | None], status: int, error: str
) -> None:
    """What is not served is refused."""
    token = (await visitor.tokens())["refresh_token"]
    refused = await exchange(visitor, token, **changes)
    assert (refused.status_code, refused.json()["error"]) == (status, error)


async def test_refresh_tokens_that_are_no_good(visitor: Visitor) -> None:
    """Refused: a refresh token that was used, one of another client, and one of a blocked user."""
    token = (await visitor.tokens())["refresh_token"]
    next_ = (await visitor.refresh(token)).json()["refresh_token"]
    assert (await exchange(visitor, token)).json() == {
        "error": "invalid_grant",
        "error_description": "Unknown or invalid refresh token.",
    }
    public = await visitor.tokens(
        auth=None, client_id="local-spa", redirect_uri="http://localhost:3000/auth/callback"
    )
    assert (await exchange(visitor, public["refresh_token"])).status_code == 403
    await visitor.dashboard(f"/users/{ALICE.replace('|', '%7C')}", action="block")
    assert (await exchange(visitor, next_)).status_code == 403


async def test_accounts(visitor: Visitor, admin: Administrator) -> None:
    """The accounts are listed without their tokens by the Management API, and with them in the
    dashboard, which forgets them."""
    for query in ({}, {"take": 10}):
        (account,) = (await admin.get("/users/{}/connected-accounts", ALICE, **query))[
            "connected_accounts"
        ]
        assert account["connection"] == "google-oauth2"
        assert "fake-google-token-of-alice" not in str(account)
    token = (await visitor.tokens())["refresh_token"]
    page = f"/users/{ALICE.replace('|', '%7C')}"
    shown = (await visitor.browser.get(f"/dashboard{page}")).text
    assert "fake-google-token-of-alice" in shown
    await visitor.dashboard(page, action="forget-accounts")
    assert (await exchange(visitor, token)).json() == NOT_FOUND
    listed = await admin.get("/users/{}/connected-accounts", ALICE)
    assert listed == {"connected_accounts": []}


async def test_public_client(visitor: Visitor) -> None:
    """A public client gets no such token."""
    tokens = await visitor.tokens(
        auth=None, client_id="local-spa", redirect_uri="http://localhost:3000/auth/callback"
    )
    refused = await exchange(visitor, tokens["refresh_token"], auth=None, client_id="local-spa")
    assert (refused.status_code, refused.json()["error"]) == (401, "access_denied")
