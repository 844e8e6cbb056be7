"""What a new tenant has, and seed files."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.local_tenant.asgi import create_tenant
from app.local_tenant.settings import TenantSettings

from ..flow.world import through_the_pages
from ..servers import ROOT, Server, answers, clean_environ, free_port, run_to_its_end
from .visitor import Visitor, query_of

ROLES = "https://example.com/roles"
ACME: dict[str, Any] = {
    "apis": [{"identifier": "https://orders.example", "scopes": [{"value": "read:orders"}]}],
    "roles": [
        {
            "name": "clerk",
            "permissions": [{"audience": "https://orders.example", "scope": "read:orders"}],
        }
    ],
    "users": [
        {"email": "dora@example.com", "name": "Dora", "password": "seeded-9", "roles": ["clerk"]},
        {"email": "alice@example.com", "name": "Alice of Acme"},
    ],
    "applications": [{"client_id": "shop", "name": "Shop", "callbacks": ["http://localhost/cb"]}],
    "organizations": [{"name": "orders-inc", "members": ["dora@example.com"]}],
}


def seeded(directory: Path, seeds: Any) -> TenantSettings:
    """The settings of a tenant with this seed file; a text is written as it is."""
    visitor = Visitor(directory)
    file = directory / "seed.json"
    file.write_text(seeds if isinstance(seeds, str) else json.dumps(seeds))
    return replace(TenantSettings(), data_file=visitor.file, seed_file=file)


async def claims_of(visitor: Visitor, email: str, password: str = "password") -> dict[str, Any]:
    """The claims of a user's ID token."""
    async with visitor.client() as browser:
        url = visitor.authorize_url(audience=None)
        pages = through_the_pages(browser, url, email=email, password=password)
        code = query_of(await pages)["code"]
    tokens = (await visitor.redeem(code)).json()
    return dict((await visitor.decoded(tokens["id_token"])).claims)


async def test_administrator(visitor: Visitor) -> None:
    """`admin@example.com` has a role, which is a namespaced claim; other users lack the claim."""
    assert (await claims_of(visitor, "admin@example.com"))[ROLES] == ["admin"]
    assert ROLES not in await claims_of(visitor, "alice@example.com")


async def test_deleted_stays_deleted(visitor: Visitor) -> None:
    """A seeded user that was deleted does not come back at the next start; one that an earlier
    release did not have comes."""
    with closing(sqlite3.connect(visitor.file)) as database, database:
        database.execute("DELETE FROM users WHERE email = 'bob@example.com'")
        database.execute("DELETE FROM users WHERE email = 'admin@example.com'")
        database.execute("DELETE FROM seeded WHERE id = 'admin@example.com'")
    create_tenant(replace(TenantSettings(), data_file=visitor.file))
    with closing(sqlite3.connect(visitor.file)) as database:
        emails = {email for (email,) in database.execute("SELECT email FROM users")}
    assert "bob@example.com" not in emails
    assert {"alice@example.com", "admin@example.com"} <= emails


async def test_seed_file(tmp_path: Path) -> None:
    """A seed file adds users, roles, applications, APIs and organizations, and replaces a user with
    the same address; what changes later stays until the file changes."""
    settings = seeded(tmp_path, ACME)
    visitor = Visitor(tmp_path)
    visitor.tenant = create_tenant(settings, clock=visitor.clock)
    async with visitor.client() as visitor.application:
        assert (await claims_of(visitor, "dora@example.com", "seeded-9"))[ROLES] == ["clerk"]
        assert (await claims_of(visitor, "alice@example.com"))["name"] == "Alice of Acme"

    def name_after(start: TenantSettings) -> str:
        create_tenant(start)
        with closing(sqlite3.connect(settings.data_file)) as database:
            query = "SELECT profile FROM users WHERE email = 'alice@example.com'"
            return str(json.loads(database.execute(query).fetchone()[0])["name"])

    with closing(sqlite3.connect(settings.data_file)) as database, database:
        database.execute("""UPDATE users SET profile = '{"name": "Changed"}'""")
    assert name_after(settings) == "Changed"
    assert settings.seed_file
    settings.seed_file.write_text(json.dumps({"users": [ACME["users"][1]]}))
    assert name_after(settings) == "Alice of Acme"


@pytest.mark.parametrize(
    ("seeds", "place", "problem"),
    [
        ("{\n  bad", ":2:3", "this is not JSON"),
        ("[]", "", "Expected type object but found type array"),
        ({"user": []}, "", "Additional properties not allowed: user"),
        ({"users": [{"name": "x"}]}, " at users[0]", "Missing required property: email"),
        ({"users": [{"email": "a b"}]}, " at users[0].email", "format email"),
        ({"users": [{"email": 1}]}, " at users[0].email", "Expected type string"),
        ({"users": [{"email": "x@y.z", "roles": ["no"]}]}, " at users[0].roles[0]", "no role 'no'"),
        ({"organizations": [{"name": "a", "members": ["x@y.z"]}]}, "].members[0]", "no user"),
        ({"applications": [{"client_id": "a", "callbacks": ["x y"]}]}, "callbacks[0]", "uri"),
        ('{"users": [{"email": "a@b.c", "user_metadata": {"a": 1e999}}]}', "", "out of range"),
    ],
    ids=[
        *("not JSON", "list", "unknown", "no email", "bad email", "number", "unknown role"),
        *("unknown member", "bad callback", "out of range"),
    ],
)
def test_bad_seed_file(tmp_path: Path, seeds: Any, place: str, problem: str) -> None:
    """A seed file that cannot be used stops the start, and is named with the place and what is
    wrong there; the data file is unchanged."""
    settings = seeded(tmp_path, seeds)
    arguments = ("--data", str(settings.data_file), "--seed", str(settings.seed_file))
    status, text = run_to_its_end("app.local_tenant", *arguments, "--port", str(free_port()))
    assert status == 2
    assert f"seed.json{place}" in text or place in text
    assert problem in text
    with closing(sqlite3.connect(settings.data_file)) as database:
        query = "SELECT count(*) FROM users WHERE email IN ('x@y.z', 'a@b.c')"
        assert database.execute(query).fetchone() == (0,)


def test_missing_seed_file(tmp_path: Path) -> None:
    """A seed file that is not there is named."""
    arguments = ("--data", str(tmp_path / "t"), "--seed", str(tmp_path / "no.json"))
    status, text = run_to_its_end("app.local_tenant", *arguments, "--port", str(free_port()))
    assert (status, "no.json cannot be read: No such file" in text) == (2, True)


def test_several_tenants(tmp_path: Path) -> None:
    """One process serves several tenants, each with its own port, issuer, keys and users; `--reset`
    deletes what they had."""
    seeds = tmp_path / "acme.json"
    seeds.write_text(json.dumps(ACME))
    ports = free_port(), free_port()
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    discovery = "/.well-known/openid-configuration"

    def server(*arguments: str) -> Server:
        command = run_of("--data", str(tmp_path / "tenant.sqlite3"), *arguments)
        return Server(
            [*command, "--tenants", str(ports[0]), f"{ports[1]}={seeds}"],
            cwd=ROOT,
            environ=clean_environ(),
            log=tmp_path / "log",
            ready=lambda: all(answers(url + discovery) for url in urls),
            patience=30.0,
        )

    get = partial(httpx.get, trust_env=False)
    first = server()
    first.start()
    try:
        issuers = [get(url + discovery).json()["issuer"] for url in urls]
        keys = [get(f"{url}/.well-known/jwks.json").json()["keys"][0]["n"] for url in urls]
        people = ["Dora" in get(f"{url}/dashboard").text for url in urls]
    finally:
        first.stop()
    assert issuers == [f"{url}/" for url in urls]
    assert keys[0] != keys[1]
    assert people == [False, True]
    again = server("--reset")
    again.start()
    try:
        assert get(f"{urls[0]}/.well-known/jwks.json").json()["keys"][0]["n"] != keys[0]
    finally:
        again.stop()


def run_of(*arguments: str) -> list[str]:
    """The command that runs the tenant, and ends with this process."""
    return [sys.executable, "-m", "app.local_tenant", "--owner", str(os.getpid()), *arguments]
