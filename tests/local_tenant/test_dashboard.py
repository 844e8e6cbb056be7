"""The dashboard, where a developer edits a user's metadata as JSON."""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
from contextlib import closing
from html import unescape

import httpx
import pytest

from app.local_tenant.database import Database

from .visitor import ALICE, BOB, Visitor

PATH = f"/users/{ALICE.replace('|', '%7C')}"
PAGE = f"/dashboard{PATH}"


async def save(visitor: Visitor, text: str) -> httpx.Response:
    """Press Save with this text in the editor."""
    return await visitor.dashboard(PATH, user_metadata=text, action="save")


async def token(visitor: Visitor) -> str:
    """The token of the forms of this browser."""
    page = (await visitor.browser.get("/dashboard")).text
    return re.findall(r'name="csrf" value="(\w+)"', page)[0]


async def metadata(visitor: Visitor) -> object:
    """What the API then says."""
    token = (await visitor.tokens())["access_token"]
    return (await visitor.user(token)).json().get("user_metadata")


async def test_people(visitor: Visitor) -> None:
    """The list leads to each user's editor."""
    page = await visitor.browser.get("/dashboard")
    for user_id, name in ((ALICE, "Alice Liddell"), (BOB, "Bob Builder")):
        assert name in page.text
        assert f'href="/dashboard/users/{user_id.replace("|", "%7C")}"' in page.text


async def test_what_a_page_needs(visitor: Visitor) -> None:
    """Everything that the page links to for itself is there: the style, and the icon."""
    page = await visitor.browser.get("/dashboard")
    needed = re.findall(r'<link rel="(\w+)" href="([^"]+)"', page.text)
    answers = {name: await visitor.browser.get(path) for name, path in needed}
    assert answers["stylesheet"].headers["content-type"].startswith("text/css")
    assert answers["icon"].headers["content-type"].startswith("image/svg+xml")
    assert all(answer.status_code == 200 for answer in answers.values())


async def test_save(visitor: Visitor) -> None:
    """What is saved replaces everything, and is shown and served."""
    wanted = {"theme": "dark", "name": 'Zoë "<b>"', "n": [1, None]}
    response = await save(visitor, json.dumps(wanted))
    assert response.headers["location"] == f"{PAGE}?saved"
    page = await visitor.browser.get(response.headers["location"])
    assert "Saved." in page.text
    assert '"name": "Zoë \\"<b>\\""' in unescape(page.text)
    assert "<b>" not in page.text
    assert await metadata(visitor) == wanted


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{bad", "this is not JSON"),
        ("", "this is not JSON"),
        ('{"a": NaN}', "NaN is not a JSON value"),
        ("[" * 5000, "nested too deeply"),
        ("[1]", "metadata is a JSON object"),
        ('"text"', "metadata is a JSON object"),
        ("null", "metadata is a JSON object"),
    ],
)
async def test_bad_text(visitor: Visitor, text: str, problem: str) -> None:
    """Text that is no JSON object is refused, stays in the editor, and changes nothing."""
    before = await metadata(visitor)
    response = await save(visitor, text)
    assert response.status_code == 400
    assert problem in response.text
    assert f">\n{text}</textarea>" in unescape(response.text)
    assert await metadata(visitor) == before


async def test_remove(visitor: Visitor) -> None:
    """Removing leaves the user without metadata, whatever stood in the editor."""
    await visitor.dashboard(PATH, user_metadata="{bad", action="remove")
    assert await metadata(visitor) is None
    assert "No metadata yet." in (await visitor.browser.get(PAGE)).text


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_another_site(visitor: Visitor, site: str) -> None:
    """A form on another site cannot save."""
    before = await metadata(visitor)
    form = {"user_metadata": "{}", "action": "save", "csrf": await token(visitor)}
    headers = {"Sec-Fetch-Site": site}
    response = await visitor.browser.post(PAGE, data=form, headers=headers)
    assert response.status_code == 403
    assert await metadata(visitor) == before


async def test_unknown_user(visitor: Visitor) -> None:
    """An unknown user id gets a page that says so."""
    for response in (
        await visitor.browser.get("/dashboard/users/auth0%7Cnobody"),
        await visitor.browser.post(
            "/dashboard/users/auth0%7Cnobody", data={"csrf": await token(visitor)}
        ),
    ):
        assert response.status_code == 404
        assert "No such user" in response.text


async def test_roles(visitor: Visitor) -> None:
    """The list `roles` in `app_metadata` is a claim of the ID token and of UserInfo. A form without
    the field `app_metadata` leaves it as it is."""
    form = {"user_metadata": '{"a": 1}', "app_metadata": '{"roles": ["admin"]}', "action": "save"}
    assert (await visitor.dashboard(PATH, **form)).status_code == 303
    await save(visitor, '{"b": 2}')
    tokens = await visitor.tokens()
    assert (await visitor.decoded(tokens["id_token"])).claims["roles"] == ["admin"]
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    info = (await visitor.application.get("/userinfo", headers=headers)).json()
    assert info["roles"] == ["admin"]
    user = (await visitor.user(tokens["access_token"])).json()
    assert (user["user_metadata"], user["app_metadata"]) == ({"b": 2}, {"roles": ["admin"]})
    await visitor.dashboard(PATH, **{**form, "app_metadata": ""})
    assert "roles" not in (await visitor.decoded((await visitor.tokens())["id_token"])).claims


@pytest.mark.parametrize("text", ["{", "[]", '{"a": NaN}'])
async def test_bad_app_metadata(visitor: Visitor, text: str) -> None:
    """`app_metadata` that is no JSON object stays in the editor, and nothing is saved."""
    before = await metadata(visitor)
    form = {"user_metadata": '{"new": 1}', "app_metadata": text, "action": "save"}
    page = await visitor.dashboard(PATH, **form)
    assert page.status_code == 400
    assert text in unescape(page.text)
    assert await metadata(visitor) == before


async def test_earlier_file(visitor: Visitor) -> None:
    """A data file of an earlier release gets the columns that it lacks, and keeps its users."""
    refresh_token = (await visitor.tokens())["refresh_token"]
    with closing(sqlite3.connect(visitor.file)) as database, database:
        database.execute("ALTER TABLE users DROP COLUMN app_metadata")
        database.execute("ALTER TABLE refresh_tokens DROP COLUMN auth_time")
    Database(visitor.file)  # as the next start opens it
    refreshed = (await visitor.refresh(refresh_token)).json()
    assert "auth_time" not in (await visitor.decoded(refreshed["id_token"])).claims
    await save(visitor, '{"kept": 1}')
    assert await metadata(visitor) == {"kept": 1}


SECTIONS = ("users", "roles", "applications", "apis", "organizations", "logs", "mailbox", "faults")


@pytest.mark.parametrize("section", SECTIONS)
async def test_forged_form(visitor: Visitor, section: str) -> None:
    """A form without the token of this browser changes nothing, on every page."""
    async with visitor.client() as other:
        stolen = re.findall(r'name="csrf" value="(\w+)"', (await other.get("/dashboard")).text)[0]
    for value in ("", "x", stolen):
        form = {"csrf": value, "action": "clear", "name": "forged", "email": "f@example.com"}
        response = await visitor.browser.post(f"/dashboard/{section}", data=form)
        assert response.status_code == 403
    assert "forged" not in (await visitor.browser.get(f"/dashboard/{section}")).text


async def test_headers(visitor: Visitor) -> None:
    """No page can be framed, kept or scripted from elsewhere, and its cookie is for forms alone."""
    page = await visitor.browser.get("/dashboard")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    cookie = page.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/dashboard"))


@pytest.mark.parametrize(
    ("section", "form", "problem"),
    [
        ("users", {"email": "alice@example.com", "password": "long-enough"}, "cannot be created"),
        ("users", {"email": "new@example.com", "password": "short"}, "at least 8"),
        ("roles", {"name": "admin"}, "already a role"),
        ("roles", {"name": ""}, "too short"),
        ("applications", {"name": "", "app_type": "spa"}, "too short"),
        ("applications", {"name": "A", "app_type": "spa", "callbacks": "a b"}, "format uri"),
        ("applications", {"name": "A", "app_type": "other"}, "No enum match"),
        ("apis", {"identifier": "http://127.0.0.1:4401/api/"}, "already an API"),
        ("apis", {"identifier": "a b"}, "pattern"),
        ("organizations", {"name": "acme"}, "already"),
        ("organizations", {"name": "a b"}, "pattern"),
    ],
)
async def test_bad_form(visitor: Visitor, section: str, form: dict[str, str], problem: str) -> None:
    """What cannot be created is refused on the page, which keeps what was entered."""
    response = await visitor.dashboard(f"/{section}", **form)
    assert (response.status_code, problem in unescape(response.text)) == (400, True)


async def test_application(visitor: Visitor) -> None:
    """An application gets lifetimes, rotation and URLs, which count at once; one that is created
    here is deleted here, and one of the settings stays."""
    fields = {
        "name": "Mine",
        "callbacks": "http://localhost:9000/cb\n",
        "rotation_type": "rotating",
        "leeway": "30",
        "token_lifetime": "60",
        "lifetime_in_seconds": "120",
        "organization_usage": "allow",
        "action": "save",
    }
    page = "/applications/local-app"
    assert (await visitor.dashboard(page, **fields)).status_code == 303
    tokens = await visitor.tokens()
    claims = (await visitor.decoded(tokens["id_token"])).claims
    assert claims["exp"] - claims["iat"] == 120
    visitor.clock.now += 61
    assert (await visitor.refresh(tokens["refresh_token"])).status_code == 403
    bad = await visitor.dashboard(page, **{**fields, "token_lifetime": "soon"})
    assert (bad.status_code, "whole seconds" in bad.text) == (400, True)
    kept = await visitor.dashboard(page, action="delete")
    assert (kept.status_code, "stays" in kept.text) == (400, True)
    new = await visitor.dashboard("/applications", name="Shop", app_type="regular_web")
    path = new.headers["location"].removeprefix("/dashboard").partition("?")[0]
    assert (await visitor.dashboard(path, action="delete")).status_code == 303
    assert (await visitor.browser.get(f"/dashboard{path}")).status_code == 404


async def test_api(visitor: Visitor) -> None:
    """An API is created with scopes and a lifetime, and deleted."""
    identifier = "https://orders.example/"
    created = await visitor.dashboard("/apis", identifier=identifier, name="Orders")
    path = created.headers["location"].removeprefix("/dashboard").partition("?")[0]
    fields = {"name": "Orders", "scopes": "read:orders See your orders", "token_lifetime": "60"}
    assert (await visitor.dashboard(path, **fields, action="save")).status_code == 303
    tokens = await visitor.tokens(audience=identifier, scope="openid read:orders")
    assert (tokens["expires_in"], tokens["scope"]) == (60, "openid read:orders")
    assert (await visitor.dashboard(path, action="delete")).status_code == 303
    assert identifier not in (await visitor.browser.get("/dashboard/apis")).text


@pytest.mark.parametrize(
    "path",
    ["users/x", "roles/x", "applications/x", "apis/x", "organizations/x"],
)
async def test_nothing_there(visitor: Visitor, path: str) -> None:
    """An address that names nothing gets a page that says so, also for a form."""
    assert (await visitor.browser.get(f"/dashboard/{path}")).status_code == 404
    form = {"csrf": await token(visitor), "action": "delete"}
    assert (await visitor.browser.post(f"/dashboard/{path}", data=form)).status_code == 404


FIELDS = (
    *("user_metadata", "app_metadata", "email", "password", "name", "app_type", "callbacks"),
    *("leeway", "token_lifetime", "lifetime_in_seconds", "rotation_type", "organization_usage"),
    *("scopes", "identifier", "permission", "role", "user", "client_id", "kind", "value"),
    *("endpoint", "seconds", "times", "fault", "display_name", "description", "web_origins"),
)
VALUES: tuple[str | bytes, ...] = (
    *("", "\0", b"\xed\xa0\xbd", "9" * 400, "-1", "nan", "1e999", "a\nb", "{}", "[1]"),
    *("http://[", "http://x/\0"),
)


@pytest.mark.parametrize(
    "path",
    [
        *("", PATH, "/roles", "/roles/rol_65a4f1c2d3e4b5a6", "/applications"),
        *("/applications/local-app", "/apis", "/organizations", "/faults"),
        "/organizations/org_65a4f1c2d3e4b5a6",
    ],
)
async def test_hostile_values(visitor: Visitor, path: str) -> None:
    """No value in any field makes a page fail, then or afterwards."""
    csrf = await token(visitor)
    for value, action in itertools.product(VALUES, ("save", "roles", "begin", "end", "invite")):
        form = {**dict.fromkeys(FIELDS, value), "csrf": csrf, "action": action}
        response = await visitor.browser.post(f"/dashboard{path}", data=form)
        assert response.status_code < 500, (value, action)
    assert (await visitor.browser.get(f"/dashboard{path}")).status_code == 200
    assert (await visitor.browser.get("/dashboard")).status_code == 200
