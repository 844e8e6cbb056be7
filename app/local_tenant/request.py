"""A Starlette request in the form that Authlib reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from email.message import Message
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from starlette.requests import Request

from .strict_json import parse_json


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
        self,
        method: str,
        uri: str,
        items: Sequence[tuple[str, str]],
        headers: dict[str, str],
        address: str = "",
    ) -> None:
        super().__init__(method, uri, headers=headers)
        self.payload = Payload(items)
        self.address = address

    @property
    def presented_client_id(self) -> str:
        """The client id in the body, or else in the header (RFC 6749 section 2.3.1)."""
        in_header, _ = extract_basic_authorization(self.headers)
        return str(self.payload.data.get("client_id") or in_header or "")

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
    """A request with a form body, or with a JSON body, which Auth0 also accepts.

    Raises:
        InvalidRequestError: it is neither, is not UTF-8, or names a parameter twice.
    """
    header = Message()
    header["Content-Type"] = request.headers.get("content-type", "")
    if header.get_content_charset("utf-8") not in ("utf-8", "utf8"):
        raise InvalidRequestError("The body has to be UTF-8")
    try:
        text = (await request.body()).decode()
    except UnicodeDecodeError:
        raise InvalidRequestError("The body has to be UTF-8") from None
    if header.get_content_type() == "application/json":
        items = _json_items(text)
    elif header.get_content_type() == "application/x-www-form-urlencoded":
        items = _form_items(text)
    else:
        raise InvalidRequestError("The body has to be a form or JSON")
    headers = {name.title(): value for name, value in request.headers.items()}
    address = request.client.host if request.client else ""
    return TenantRequest(request.method, str(request.url), items, headers, address)


def _form_items(text: str) -> list[tuple[str, str]]:
    try:
        items = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise InvalidRequestError("The body is not a form") from None
    if len(dict(items)) < len(items):
        raise InvalidRequestError("A parameter occurs twice")
    return items


def _json_items(text: str) -> list[tuple[str, str]]:
    try:
        body = parse_json(text)
    except ValueError:
        raise InvalidRequestError("The body is not JSON") from None
    if not isinstance(body, dict):
        raise InvalidRequestError("The body is not a JSON object")
    return [(name, value) for name, value in body.items() if isinstance(value, str)]
