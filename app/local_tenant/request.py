"""A Starlette request in the form that Authlib reads."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request
from starlette.requests import Request


class Payload(OAuth2Payload):  # type: ignore[misc]
    """Parameters from a query or a body; a name may occur more than once."""

    def __init__(self, items: Sequence[tuple[str, str]]) -> None:
        self._items = items

    @property
    def data(self) -> dict[str, str]:
        return dict(self._items)

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        values: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in self._items:
            values[name].append(value)
        return values


class TenantRequest(OAuth2Request):  # type: ignore[misc]
    """A request whose parameters are known; `form` is what Authlib's token endpoint reads.
    `dpop_jkt` is the thumbprint of the key whose proof came with it."""

    dpop_jkt: str | None = None

    def __init__(
        self, method: str, uri: str, items: Sequence[tuple[str, str]], headers: dict[str, str]
    ) -> None:
        super().__init__(method, uri, headers=headers)
        self.payload = Payload(items)

    @property
    def args(self) -> dict[str, str]:
        return dict(self.payload.data)

    @property
    def form(self) -> dict[str, str]:
        return dict(self.payload.data)


def authorization_request(issuer: str, query: str) -> TenantRequest:
    """An authorization request from its query string."""
    items = parse_qsl(query, keep_blank_values=True)
    return TenantRequest("GET", f"{issuer}authorize", items, {})


async def body_request(request: Request) -> TenantRequest:
    """A request with a form body, or with a JSON body, which Auth0 also accepts."""
    text = (await request.body()).decode("utf-8", "replace")
    if request.headers.get("content-type", "").startswith("application/json"):
        items = _json_items(text)
    else:
        items = parse_qsl(text, keep_blank_values=True)
    headers = {name.title(): value for name, value in request.headers.items()}
    return TenantRequest(request.method, str(request.url), items, headers)


def _json_items(text: str) -> list[tuple[str, str]]:
    try:
        body = json.loads(text)
    except ValueError:
        return []
    if not isinstance(body, dict):
        return []
    return [(name, value) for name, value in body.items() if isinstance(value, str)]
