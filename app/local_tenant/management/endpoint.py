"""How an endpoint is described, and what its handler gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..schema import Invalid, Schema, check
from ..server import TenantServer
from .errors import ApiError, invalid_body

PAGE: dict[str, Schema] = {
    "page": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
    "per_page": {"type": "integer", "minimum": 0, "maximum": 100},
    "include_totals": {"type": "boolean"},
    "from": {"type": "string", "pattern": "[0-9]{1,6}"},
    "take": {"type": "integer", "minimum": 1, "maximum": 100},
}
FIELDS: dict[str, Schema] = {
    "fields": {"type": "string", "maxLength": 1000, "pattern": r"[A-Za-z0-9_]+(,[A-Za-z0-9_]+)*"},
    "include_fields": {"type": "boolean"},
}
MOST = 1000  # records that paging leads to, as at Auth0


@dataclass(frozen=True)
class Call:
    """One authorized request. `granted` are the endpoint's scopes that the token has."""

    server: TenantServer
    method: str
    endpoint_path: str
    claims: Mapping[str, Any]
    granted: frozenset[str]
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return self.server.clock()

    def page(self, name: str, items: list[Any]) -> Any:
        """The page of `items` that the query asks for; with totals, as the member `name`. With
        `take` (Auth0's checkpoint paging) it has `next`, which is the `from` of the next page."""
        is_checkpoint = "take" in self.query or "from" in self.query
        if is_checkpoint:
            size, start = self.query.get("take", 50), int(self.query.get("from", 0))
        else:
            size = self.query.get("per_page", 50)
            start = self.query.get("page", 0) * size
        if start + size > max(MOST, size) and not is_checkpoint:
            text = f"You can only page through the first {MOST} records."
            raise ApiError(400, text, "invalid_paging")
        part = [self.selected(item) for item in items[start : start + size]]
        answer: dict[str, Any] = {name: part}
        if self.query.get("include_totals"):
            totals = {"start": start, "limit": size, "length": len(part), "total": len(items)}
            answer = {**totals, **answer}
        if is_checkpoint and start + size < len(items):
            answer["next"] = str(start + size)
        return answer if is_checkpoint or len(answer) > 1 else part

    def selected(self, document: Any) -> Any:
        """A document with the members that `fields` and `include_fields` choose."""
        fields = self.query.get("fields")
        if not fields or not isinstance(document, dict):
            return document
        names, include = set(fields.split(",")), self.query.get("include_fields", True)
        return {name: value for name, value in document.items() if (name in names) == include}


Handler = Callable[[Call], Any]


@dataclass(frozen=True)
class Endpoint:
    """An operation: any of `scopes` allows it. `result` names the schema of a success."""

    method: str
    path: str
    scopes: tuple[str, ...]
    summary: str
    handle: Handler
    result: str | None = None
    is_list: bool = False
    status: int = 200
    query: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """The parameters in a path, given by its decoded segments; None if it is another path."""
        names = self.path.strip("/").split("/")
        if len(names) != len(segments):
            return None
        found = {}
        for name, value in zip(names, segments, strict=True):
            if name.startswith("{"):
                found[name.strip("{}")] = value
            elif name != value:
                return None
        return found

    def checked_query(self, items: list[tuple[str, str]]) -> dict[str, Any]:
        """The query's values, of the types that the endpoint declares.

        Raises:
            ApiError: 400, there is an unknown or bad parameter.
        """
        schema = {"type": "object", "properties": self.query, "additionalProperties": False}
        values = {name: _typed(value, self.query.get(name, {})) for name, value in items}
        try:
            check(values, schema)
        except Invalid as problem:
            detail = _detail(problem)
            text = f"Query validation error: {detail}."
            raise ApiError(400, text, "invalid_query_string") from problem
        return values

    def checked_body(self, body: Any) -> Any:
        """The body, if it fits.

        Raises:
            ApiError: 400, it does not.
        """
        try:
            check(body, self.body or {})
        except Invalid as problem:
            raise invalid_body(_detail(problem)) from problem
        return body


def _detail(problem: Invalid) -> str:
    return f"'{problem.text}'" + (f" on property {problem.path}" if problem.place else "")


def _typed(text: str, schema: Schema) -> Any:
    if schema.get("type") == "integer" and re.fullmatch(r"-?[0-9]{1,9}", text):
        return int(text)
    if schema.get("type") == "boolean" and text in ("true", "false"):
        return text == "true"
    return text
