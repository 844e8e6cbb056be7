"""The Management API: Auth0's scopes, merge rules and error shapes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from http import HTTPStatus
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from ..flow.world import APP, TENANT
from .visitor import ALICE, API, BOB, Visitor

READ = "read:users,read:user_idp_tokens,read:current_user"
UPDATE = "update:users,update:users_app_metadata,update:current_user_metadata"


@pytest.fixture
async def token(visitor: Visitor) -> str:
    """Alice's access token, with both scopes."""
    return str((await visitor.tokens())["access_token"])


def error(status: int, name: str, message: str, code: str | None = None) -> dict[str, Any]:
    """An error in Auth0's envelope."""
    body: dict[str, Any] = {"statusCode": status, "error": name, "message": message}
    return {**body, "errorCode": code} if code else body


async def test_user(visitor: Visitor, token: str) -> None:
    """The user has Auth0's members, and names its identity without `sub`."""
    response = await visitor.user(token)
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    user = response.json()
    assert user["user_id"] == ALICE
    assert user["identities"] == [
        {
            "user_id": ALICE.partition("|")[2],
            "connection": "Username-Password-Authentication",
            "provider": "auth0",
            "isSocial": False,
        }
    ]
    assert user["user_metadata"]["newsletter"] == {"weekly": True}
    assert "sub" not in user
    assert None not in user.values()


@pytest.mark.parametrize("path", [ALICE, ALICE.replace("|", "%7C"), ALICE.replace("|", "%7c")])
async def test_quoted_id(visitor: Visitor, token: str, path: str) -> None:
    """The id may be written with its bar quoted or not."""
    headers = {"Authorization": f"bearer {token}"}
    response = await visitor.application.get(f"/api/v2/users/{path}", headers=headers)
    assert response.json()["user_id"] == ALICE


@pytest.mark.parametrize(
    ("include", "members"),
    [("true", {"name", "email"}), ("false", None), (None, {"name", "email"})],
)
async def test_fields(
    visitor: Visitor, token: str, include: str | None, members: set[str] | None
) -> None:
    """`fields` chooses members, or with include_fields=false leaves them out."""
    everything = (await visitor.user(token)).json().keys()
    params = {"fields": "name,email"} | ({"include_fields": include} if include else {})
    chosen = (await visitor.user(token, params=params)).json().keys()
    assert chosen == (members or everything - {"name", "email"})


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"theme": "dark"}, {"theme": "dark", "newsletter": {"weekly": True, "daily": False}}),
        ({"theme": None}, {"newsletter": {"weekly": True, "daily": False}}),
        ({"newsletter": {"daily": True}}, {"theme": "light", "newsletter": {"daily": True}}),
        ({"absent": None}, {"theme": "light", "newsletter": {"weekly": True, "daily": False}}),
        ({}, {}),
    ],
    ids=["merge", "null deletes", "nested is replaced", "null of nothing", "empty empties"],
)
async def test_merge(
    visitor: Visitor, token: str, changes: dict[str, Any], result: dict[str, Any]
) -> None:
    """PATCH merges at the first level only, and answers with the whole user."""
    start = {"theme": "light", "newsletter": {"weekly": True, "daily": False}}
    await visitor.patch(token, {"user_metadata": {}})
    await visitor.patch(token, {"user_metadata": start})
    before = (await visitor.user(token)).json()["updated_at"]
    visitor.clock.now += 1
    response = await visitor.patch(token, {"user_metadata": changes})
    assert (response.status_code, response.json()["user_metadata"]) == (200, result)
    assert (await visitor.user(token)).json() == response.json()
    assert response.json()["updated_at"] > before


async def test_no_metadata_yet(visitor: Visitor, token: str) -> None:
    """Without metadata the member is absent, not empty."""
    await visitor.dashboard(f"/users/{ALICE}", action="remove", user_metadata="")
    assert "user_metadata" not in (await visitor.user(token)).json()
    await visitor.patch(token, {"user_metadata": {"a": 1}})
    assert (await visitor.user(token)).json()["user_metadata"] == {"a": 1}


@pytest.mark.parametrize(
    ("scope", "method", "expected"),
    [
        ("openid", "GET", READ),
        ("openid update:current_user_metadata", "GET", READ),
        ("openid read:current_user", "PATCH", UPDATE),
    ],
)
async def test_scope(visitor: Visitor, scope: str, method: str, expected: str) -> None:
    """Each method needs a scope of its own; the error names all that would do."""
    token = (await visitor.tokens(scope=scope))["access_token"]
    read = method == "GET"
    response = await (
        visitor.user(token) if read else visitor.patch(token, {"user_metadata": {"a": 1}})
    )
    message = f"Insufficient scope, expected any of: {expected}"
    assert response.json() == error(403, "Forbidden", message, "insufficient_scope")


@pytest.mark.parametrize("user_id", [BOB, "auth0|nobody", f"{ALICE}%2Fx", ".."])
async def test_somebody_else(visitor: Visitor, token: str, user_id: str) -> None:
    """A user's token acts on that user only."""
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/api/v2/users/{user_id.replace('|', '%7C').replace('..', '%2e%2e')}"
    read = await visitor.application.get(path, headers=headers)
    change = {"user_metadata": {"hacked": True}}
    written = await visitor.application.patch(path, headers=headers, json=change)
    message = "User to be acted on does not match subject in bearer token."
    assert read.json() == written.json() == error(403, "Forbidden", message)


@pytest.mark.parametrize(
    ("header", "status", "message"),
    [
        (None, 401, "Missing authentication"),
        ("", 400, "Bad HTTP authentication header format"),
        ("Bearer", 400, "Bad HTTP authentication header format"),
        ("Bearer opaque", 400, "Bad HTTP authentication header format"),
        ("Basic YTpi", 400, "Bad HTTP authentication header format"),
        ("Bearer a.b.c", 401, "Invalid signature received for JSON Web Token validation"),
    ],
)
async def test_header(visitor: Visitor, header: str | None, status: int, message: str) -> None:
    """What is no Bearer token is told so."""
    headers = {} if header is None else {"Authorization": header}
    response = await visitor.application.get(f"/api/v2/users/{ALICE}", headers=headers)
    assert (response.status_code, response.json()["message"]) == (status, message)


async def test_other_tokens(visitor: Visitor, token: str) -> None:
    """An ID token, and a token of another audience, key or type, is not accepted."""
    tokens = await visitor.tokens(audience=None)
    claims = (await visitor.decoded(token)).claims
    strange, own = RSAKey.generate_key(2048, auto_kid=True), visitor.signing_key()
    forged = [
        jwt.encode({"alg": "RS256", "typ": typ, "kid": key.kid}, claims, key, ["RS256"])
        for key, typ in ((strange, "at+jwt"), (own, "JWT"))
    ]
    for other in (tokens["id_token"], tokens["access_token"], *forged):
        response = await visitor.user(other)
        assert response.status_code == 401
        assert response.json()["attributes"] == {"error": response.json()["message"]}


async def test_expired(visitor: Visitor, token: str) -> None:
    """An expired token is told so."""
    visitor.clock.now += 3600
    message = "Expired token received for JSON Web Token validation"
    assert (await visitor.user(token)).json()["message"] == message


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"{", "JSON format"),
        (b'{"user_metadata": {"a": NaN}}', "JSON format"),
        (b"[" * 5000, "JSON format"),
        (b'{"user_metadata": {"a": ' + b"[" * 970 + b"]" * 970 + b"}}", "JSON format"),
        (rb'{"user_metadata": {"a": "\ud83d"}}', "JSON format"),
        (rb'{"user_metadata": {"\ude00": 1}}', "JSON format"),
        (b'{"user_metadata": {"a": 1e999}}', "JSON format"),
        (b'{"user_metadata": {"a": "\xff"}}', "JSON format"),
        ('{"user_metadata": {}}'.encode("utf-16"), "JSON format"),
        ([], "Expected type object"),
        ({}, "Expected type object' on property user_metadata"),
        ({"user_metadata": []}, "but found type array' on property user_metadata"),
        ({"user_metadata": {}, "app_metadata": {}}, "not allowed: app_metadata"),
        ({"password": "x"}, "not allowed: password"),
    ],
    ids=[
        *("cut off", "not a number", "deep", "nested", "half an emoji", "half an emoji as a name"),
        *("out of range", "not UTF-8", "UTF-16", "list", "empty", "metadata a list"),
        *("app_metadata", "password"),
    ],
)
async def test_bad_body(visitor: Visitor, token: str, body: Any, part: str) -> None:
    """A body that Auth0 would not take is refused, named, and changes nothing."""
    before = (await visitor.user(token)).json()
    response = await visitor.patch(token, body)
    assert response.status_code == 400
    assert part in response.json()["message"]
    assert (await visitor.user(token)).json() == before


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (r'{"a": "\ud83d", "b": 1}', {"a": "\ufffd", "b": 1}),
        ('{"a": Infinity, "b": [NaN, 1e999]}', {"a": None, "b": [None, None]}),
        ('{"a": ' + "[" * 970 + "]" * 970 + ', "b": 1}', {"b": 1}),
        ("{", {}),
        ("[]", {}),
    ],
    ids=["half an emoji", "not a number", "deep", "cut off", "list"],
)
async def test_stored_earlier(
    visitor: Visitor, token: str, stored: str, shown: dict[str, Any]
) -> None:
    """What JSON cannot hold and is in the file already ends in no failure: not at the API, at
    UserInfo or in the dashboard, and a change mends it."""
    with closing(sqlite3.connect(visitor.file)) as database, database:
        database.execute(
            "UPDATE users SET user_metadata = ?, app_metadata = ? WHERE user_id = ?",
            (stored, stored.replace('"a"', '"roles"'), ALICE),
        )
    read = (await visitor.user(token)).json()["user_metadata"]
    assert {name: read.get(name) for name in shown} == shown
    page = await visitor.browser.get(f"/dashboard/users/{ALICE}")
    info = await visitor.application.get("/userinfo", headers={"Authorization": f"Bearer {token}"})
    written = await visitor.patch(token, {"user_metadata": {"c": 1}})
    assert [page.status_code, info.status_code, written.status_code] == [200, 200, 200]
    assert written.json()["user_metadata"]["c"] == 1


async def test_audience_is_the_api(visitor: Visitor, token: str) -> None:
    """The API's identifier is its address, as at Auth0."""
    assert f"{TENANT}/api/v2/" == API
    assert API in (await visitor.decoded(token)).claims["aud"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v2/nothing", 404),
        ("GET", f"/api/v2/users/{ALICE}/nothing", 404),
        ("GET", "/api/v2", 404),
        ("GET", "/api/v2//users", 404),
        ("PUT", f"/api/v2/users/{ALICE}", 405),
        ("PATCH", "/api/v2/users/", 405),
        ("GET", "/oauth/token", 405),
        ("GET", "/oauth/nothing", 404),
    ],
)
async def test_no_endpoint(
    visitor: Visitor, token: str, method: str, path: str, status: int
) -> None:
    """An address or a method that is no endpoint is answered in the same envelope, without a
    redirect."""
    headers = {"Authorization": f"Bearer {token}"}
    response = await visitor.application.request(method, path, headers=headers)
    assert response.status_code == status
    assert response.json() == error(status, *[HTTPStatus(status).phrase] * 2)
    assert ("allow" in response.headers) == (status == 405)


async def test_preflight(visitor: Visitor) -> None:
    """A preflight request from the app's origin is answered; another is refused in JSON."""
    headers = {"Access-Control-Request-Method": "PATCH", "Origin": APP}
    path = f"/api/v2/users/{ALICE}"
    allowed = await visitor.application.options(path, headers=headers)
    assert allowed.is_success
    assert allowed.headers["access-control-allow-origin"] == APP
    headers["Origin"] = "http://evil.example"
    refused = await visitor.application.options(path, headers=headers)
    assert refused.status_code == refused.json()["statusCode"] >= 400
    assert "access-control-allow-origin" not in refused.headers
