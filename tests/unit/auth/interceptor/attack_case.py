"""Decisions known to be right, as rows: an entry, a request, and whether it gets a token.

`known_attacks.json` has tricks that other interceptors fell for, and what they must not break;
`more_attacks.json` goes on from there. Redirect rows are about the hop that follows the first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.auth.interceptor import AllowedList, AllowedRoute


@dataclass(frozen=True)
class AttackCase:
    """`refused`: the entry itself is a ConfigError. `setting`: what else is special."""

    id: str
    pattern: str
    method: str
    url: str
    attach: bool
    reason: str
    http_method: str | list[str] | None = None
    base_url: str | None = None
    redirect_to: str | None = None
    setting: str | None = None
    refused: bool = False

    def allowed_list(self) -> AllowedList:
        """The list with this row's only entry."""
        route = AllowedRoute(self.pattern, http_method=self.http_method)
        return AllowedList([route], base_url=self.base_url)


def load_cases(name: str) -> list[AttackCase]:
    """All rows of a file beside this one."""
    return [_case(row) for row in json.loads((Path(__file__).parent / name).read_text())]


def as_params(cases: list[AttackCase]) -> list[Any]:
    """For `pytest.mark.parametrize`, each with its id and reason as name."""
    return [pytest.param(case, id=f"{case.id}: {case.reason}") for case in cases]


def _case(row: dict[str, Any]) -> AttackCase:
    if isinstance(row["url"], list):
        start, unit, times = row["url"]
        row["url"] = start + unit * times
    return AttackCase(**row)
