"""How an authorization response reaches the application.

`query` and `fragment` are redirects, `form_post` is a form that posts itself (OAuth 2.0 Form Post
Response Mode), and `web_message` is Auth0's: a page in a popup or in a frame that posts the
response to the window that opened it or that holds it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.responses import HTMLResponse, RedirectResponse, Response

from .html import UNUSABLE, message, page_headers
from .request import TenantRequest
from .server import NO_STORE, TenantServer

RESPONSE_MODES = ("query", "fragment", "form_post", "web_message")
Items = Sequence[tuple[str, str]]

_POST_MESSAGE = (
    "(function(message,origin){var target=window.opener||window.parent;"
    "if(target!==window)target.postMessage(message,origin)})"
)


def respond(server: TenantServer, request: TenantRequest, items: Items) -> Response:
    """Send a response, or an error, with the client's state. The redirect URI has been checked."""
    parameters, redirect_uri = request.payload.data, redirect_uri_of(request)
    mode, origin = _mode(parameters), origin_of(redirect_uri)
    if (
        mode == "web_message"
        and origin not in server.clients[request.payload.client_id].web_origins
    ):
        text = "The origin of its redirect_uri is not one of the application's web origins."
        return message(UNUSABLE, text, status=403)
    further = {"state": parameters["state"]} if "state" in parameters else {}
    if server.settings.response_issuer:  # RFC 9207
        further["iss"] = server.settings.issuer
    return _sent(mode, redirect_uri, [*items, *further.items()])


def _mode(parameters: Mapping[str, str]) -> str:
    """The mode that a request asks for, or else the default of its response type."""
    default = "query" if parameters.get("response_type") == "code" else "fragment"
    asked = parameters.get("response_mode") or default
    return asked if asked in RESPONSE_MODES else default


def _sent(mode: str, redirect_uri: str, items: Items) -> Response:
    if mode == "web_message":
        return _web_message(origin_of(redirect_uri), items)
    if mode == "form_post":
        return _form_post(redirect_uri, items)
    separator = "#" if mode == "fragment" else "&" if "?" in redirect_uri else "?"
    return see_other(f"{redirect_uri}{separator}{urlencode(items)}")


def see_other(url: str) -> Response:
    """A redirect that is followed by GET and kept by no cache."""
    return RedirectResponse(url, 303, headers=NO_STORE)


def origin_of(url: str) -> str:
    """The origin of a URL (RFC 6454 section 6.2)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def redirect_uri_of(request: TenantRequest) -> str:
    """The redirect URI of an authorization request."""
    return str(request.payload.redirect_uri)


def _web_message(origin: str, items: Items) -> Response:
    content = {"type": "authorization_response", "response": dict(items)}
    script = f"{_POST_MESSAGE}({_in_script(content)},{_in_script(origin)})"
    return _page("", script, f"frame-ancestors {origin}; form-action 'none'")


def _form_post(redirect_uri: str, items: Items) -> Response:
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in items
    )
    form = (
        f'<form method="post" action="{escape(redirect_uri)}">{fields}'
        "<noscript><button>Continue</button></noscript></form>"
    )
    policy = f"frame-ancestors 'none'; form-action {origin_of(redirect_uri)}"
    return _page(form, "document.forms[0].submit()", policy)


def _page(body: str, script: str, policy: str) -> HTMLResponse:
    nonce = secrets.token_urlsafe(16)
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Continue</title></head>'
        f'<body>{body}<script nonce="{nonce}">{script}</script></body></html>',
        headers=page_headers(
            f"default-src 'none'; script-src 'nonce-{nonce}'; {policy}",
            # The application then sees the tenant's origin with a posted form, and not `null`.
            referrer_policy="strict-origin",
        ),
    )


def _in_script(value: object) -> str:
    """JSON that cannot end the script element, whose text has no escapes of HTML."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e")
