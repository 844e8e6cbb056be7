"""Seeds: read from a file, checked, and written to the data file.

Everything is written once: what is deleted or changed afterwards stays so over restarts. A seed
file that has changed since is written again, and replaces what has the same names.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .apis import write_api
from .client_store import write_client
from .connected_accounts import delete_accounts, save_account
from .database import Database
from .organizations import (
    add_members,
    find_organization,
    new_organization_id,
    save_organization,
)
from .passwords import hash_password
from .roles import add_permissions, assign_roles, find_role, new_role_id, save_role
from .schema import Invalid, check
from .seed_format import SEED
from .seeds import CREATED_AT, built_in
from .settings import TenantSettings
from .strict_json import parse_json
from .users import add_user, find_user, json_column, new_user_id

Item = Mapping[str, Any]
_COLUMNS = ("email_verified", "blocked", "mfa_required", "totp_secret")
_NOT_PROFILE = {
    *(*_COLUMNS, "user_id", "email", "password", "user_metadata", "app_metadata"),
    *("roles", "permissions", "connected_accounts"),
}


class SeedError(ValueError):
    """A seed file cannot be used. The message names the file, the place, and what to do."""


def read_seeds(file: Path) -> tuple[dict[str, Any], str]:
    """The seeds in a JSON file, and a hash of the file.

    Raises:
        SeedError: it cannot be read, or is not a seed file.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SeedError(f"The seed file {file} cannot be read: {error.strerror}.") from error
    try:
        seeds = parse_json(content)
    except json.JSONDecodeError as error:
        where = f"{file}:{error.lineno}:{error.colno}"
        raise SeedError(f"{where}: this is not JSON ({error.msg}). Mend it there.") from error
    except ValueError as error:
        raise SeedError(f"{file}: this is not JSON ({error}).") from error
    try:
        check(seeds, SEED)
    except Invalid as problem:
        raise _explained(file, problem) from problem
    return seeds, hashlib.sha256(content).hexdigest()


def write_all_seeds(database: Database, settings: TenantSettings) -> None:
    """Write the built-in seeds, and those of the settings' file.

    Raises:
        SeedError: the file cannot be used. The data file is then unchanged.
    """
    file = settings.seed_file
    seeds, digest = read_seeds(file) if file else ({}, "")
    with database.transaction() as connection:
        ours = built_in(settings.external_audience)
        write_seeds(connection, ours, replace=False, source="the built-in seeds")
        if file and _note(connection, "file", digest):
            connection.execute("DELETE FROM seeded WHERE kind = 'file' AND id != ?", (digest,))
            write_seeds(connection, seeds, replace=True, source=str(file))


def write_seeds(connection: sqlite3.Connection, seeds: Item, *, replace: bool, source: str) -> None:
    """Write what is new, or with `replace` everything.

    Raises:
        SeedError: something is named that does not exist.
    """
    writers: dict[str, tuple[str, Callable[[sqlite3.Connection, Item], None]]] = {
        "apis": ("identifier", _write_api),
        "applications": ("client_id", _write_application),
        "roles": ("name", _write_role),
        "users": ("email", _write_user),
        "organizations": ("name", _write_organization),
    }
    for kind, (key, write) in writers.items():
        for index, item in enumerate(seeds.get(kind, ())):
            name = str(item[key]).lower()
            if not _note(connection, kind, name) and not replace:
                continue
            try:
                write(connection, item)
            except Invalid as problem:
                placed = Invalid(problem.text, kind, index, *problem.place)
                raise _explained(source, placed) from problem
            except sqlite3.IntegrityError as error:
                placed = Invalid(f"It is there already under another id ({error})", kind, index)
                raise _explained(source, placed) from error


def _note(connection: sqlite3.Connection, kind: str, name: str) -> bool:
    added = connection.execute("INSERT OR IGNORE INTO seeded VALUES (?, ?)", (kind, name))
    return added.rowcount == 1


def _explained(file: Path | str, problem: Invalid) -> SeedError:
    place = f" at {problem.path}" if problem.place else ""
    return SeedError(
        f"{file}{place}: {problem.text}. The page docs/tenant-api.md shows a seed file. "
        "Correct this place and start again; the data file is unchanged."
    )


def _write_api(connection: sqlite3.Connection, item: Item) -> None:
    write_api(connection, item["identifier"], {k: v for k, v in item.items() if k != "identifier"})


def _write_application(connection: sqlite3.Connection, item: Item) -> None:
    document = {name: value for name, value in item.items() if name != "client_id"}
    write_client(connection, item["client_id"], document)


def _write_role(connection: sqlite3.Connection, item: Item) -> None:
    there = find_role(connection, name=item["name"])
    role_id = there["id"] if there else item.get("id") or new_role_id()
    save_role(connection, role_id, item["name"], item.get("description", ""))
    permissions = [(each["audience"], each["scope"]) for each in item.get("permissions", ())]
    add_permissions(connection, role_id, permissions, of_role=True)


def _write_user(connection: sqlite3.Connection, item: Item) -> None:
    there = find_user(connection, email=item["email"])
    user_id = there.user_id if there else item.get("user_id") or new_user_id()
    role_ids = []
    for index, name in enumerate(item.get("roles", ())):
        role = find_role(connection, name=name)
        if role is None:
            raise Invalid(f"There is no role {name!r}", "roles", index)
        role_ids.append(role["id"])
    columns = {name: item[name] for name in _COLUMNS if name in item}
    if "password" in item:
        columns["password"] = hash_password(item["password"])
    connection.execute("DELETE FROM users WHERE user_id = ?", (user_id,))
    add_user(
        connection,
        user_id=user_id,
        email=item["email"],
        now=CREATED_AT,
        profile={name: value for name, value in item.items() if name not in _NOT_PROFILE},
        user_metadata=json_column(item.get("user_metadata")),
        app_metadata=json_column(item.get("app_metadata")),
        **columns,
    )
    connection.execute("DELETE FROM user_roles WHERE user_id = ?", (user_id,))
    assign_roles(connection, user_id, role_ids)
    permissions = [(each["audience"], each["scope"]) for each in item.get("permissions", ())]
    add_permissions(connection, user_id, permissions, of_role=False)
    delete_accounts(connection, user_id)
    for account in item.get("connected_accounts", ()):
        save_account(connection, user_id, account)


def _write_organization(connection: sqlite3.Connection, item: Item) -> None:
    there = find_organization(connection, item["name"])
    org_id = there["id"] if there else item.get("id") or new_organization_id()
    display_name = item.get("display_name", item["name"])
    save_organization(connection, org_id, item["name"], display_name, item.get("metadata"))
    members = []
    for index, email in enumerate(item.get("members", ())):
        user = find_user(connection, email=email)
        if user is None:
            raise Invalid(f"There is no user with the e-mail address {email!r}", "members", index)
        members.append(user.user_id)
    add_members(connection, org_id, members)
