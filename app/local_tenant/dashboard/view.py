"""One request to the dashboard: the frame of its pages, and forms that only they can send."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ..html import alert, message, page_headers
from ..server import NO_STORE, TenantServer

COOKIE = "local_tenant_dashboard"
_KEY = secrets.token_bytes(32)  # of this process
_SECTIONS = {
    "users": "Users",
    "roles": "Roles",
    "applications": "Applications",
    "apis": "APIs",
    "organizations": "Organizations",
    "logs": "Logs",
    "mailbox": "Mailbox",
    "faults": "Faults",
}
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; form-action 'self'"
)


@dataclass(frozen=True)
class View:
    """What a handler gets. `form` is empty for a GET."""

    server: TenantServer
    request: Request
    browser: str
    form: FormData

    def text(self, name: str) -> str:
        """A field of the form, without spaces around it; empty if it is missing."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    def lines(self, name: str) -> list[str]:
        """The lines of a text area, without empty ones."""
        return [line.strip() for line in self.text(name).splitlines() if line.strip()]

    @property
    def csrf(self) -> str:
        """The token of this browser's forms."""
        return hmac.new(_KEY, self.browser.encode(), hashlib.sha256).hexdigest()

    def send(self, body: str, *, action: str = "", classes: str = "") -> str:
        """A form with the token. `body` is HTML."""
        to = f' action="{escape(action, quote=True)}"' if action else ""
        return (
            f'<form method="post"{to} class="{classes}">'
            f'<input type="hidden" name="csrf" value="{self.csrf}">{body}</form>'
        )

    def button(self, action: str, label: str, *, classes: str = "quiet", test_id: str = "") -> str:
        """A form with one button, for this page."""
        identified = f' data-testid="{test_id}"' if test_id else ""
        return self.send(
            f'<button name="action" value="{action}" class="{classes}"{identified}>'
            f"{escape(label)}</button>",
            classes="inline",
        )

    def page(
        self, section: str, title: str, body: str, *, problem: str | None = None, status: int = 200
    ) -> Response:
        """A page of the dashboard. `body` is HTML; `problem` stands above it."""
        links = "".join(
            f'<li><a href="/dashboard{"" if name == "users" else f"/{name}"}"'
            f"{' aria-current=page' if name == section else ''}>{label}</a></li>"
            for name, label in _SECTIONS.items()
        )
        saved = '<p class="done" role="status">Saved.</p>' if self._was_saved() else ""
        issuer = escape(self.server.settings.issuer)
        response = HTMLResponse(
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f"<title>{escape(title)} - Local tenant</title>"
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="icon" href="/icon.svg" type="image/svg+xml">'
            '<link rel="stylesheet" href="/tenant.css">'
            '<script src="/dashboard.js" defer></script></head><body class="dashboard">'
            f'<header><a class="skip" href="#main">To the content</a>'
            f'<p class="brand">Local tenant <span>{issuer}</span></p>'
            f'<nav aria-label="Sections"><ul>{links}</ul></nav></header>'
            f'<main id="main"><h1>{escape(title)}</h1>{alert(problem)}{saved}{body}</main>'
            "<footer>Local tenant, for development only</footer></body></html>",
            status_code=400 if problem and status == 200 else status,
            headers=page_headers(_POLICY),
        )
        self._keep(response)
        return response

    def saved(self, path: str) -> Response:
        """Lead to a page of the dashboard, which says that the change is saved."""
        return RedirectResponse(f"/dashboard{path}?saved", 303, headers=NO_STORE)

    def unknown(self, section: str, text: str) -> Response:
        """A page for an address that names nothing."""
        return self.page(section, text, '<p><a href="/dashboard">Users</a></p>', status=404)

    def _was_saved(self) -> bool:
        return "saved" in self.request.query_params and self.request.method == "GET"

    def _keep(self, response: Response) -> None:
        response.set_cookie(
            COOKIE,
            self.browser,
            httponly=True,
            samesite="strict",
            path="/dashboard",
            secure=self.server.settings.tls,
        )


Handler = Callable[[View], Response]


def routes(server: TenantServer, pages: Mapping[str, tuple[Handler, Handler]]) -> list[Route]:
    """The routes of pages: by the path below `/dashboard`, what shows it and what it sends."""
    return [
        route
        for path, (show, take) in pages.items()
        for route in (
            Route(f"/dashboard{path}", _shown(server, show), methods=["GET"]),
            Route(f"/dashboard{path}", _taken(server, take), methods=["POST"]),
        )
    ]


def _shown(server: TenantServer, handle: Handler) -> Callable[[Request], Response]:
    def shown(request: Request) -> Response:
        return handle(View(server, request, _browser(request), FormData()))

    return shown


def _taken(server: TenantServer, handle: Handler) -> Callable[[Request], object]:
    async def taken(request: Request) -> Response:
        form = await request.form()
        view = View(server, request, _browser(request), form)
        if not hmac.compare_digest(view.text("csrf").encode(), view.csrf.encode()):
            text = "The page is older than this start of the tenant. Go back and reload it."
            return message("Not saved", text, status=403)
        return await run_in_threadpool(handle, view)

    return taken


def _browser(request: Request) -> str:
    return request.cookies.get(COOKIE) or secrets.token_urlsafe(32)


def href(*parts: str) -> str:
    """A path below `/dashboard`, each part quoted."""
    return "/".join(("", *(quote(part, safe="") for part in parts)))


def field(label: str, name: str, value: str = "", *, kind: str = "text", **attributes: str) -> str:
    """A labelled input. Attributes are those of HTML; an empty one has no value."""
    return (
        f"<label>{escape(label)} <input {_attributes(name=name, type=kind, **attributes)}"
        f' value="{escape(value, quote=True)}"></label>'
    )


def area(label: str, name: str, value: str, *, test_id: str = "", rows: int = 8) -> str:
    """A labelled text area for JSON or lines. `label` is HTML."""
    identified = f' data-testid="{test_id}"' if test_id else ""
    return (
        f"<label><span>{label}</span>"
        f'<textarea name="{name}" rows="{rows}" spellcheck="false"{identified}>'
        f"\n{escape(value)}</textarea></label>"
    )


def checkbox(label: str, name: str, value: str, *, checked: bool) -> str:
    """A labelled checkbox."""
    state = " checked" if checked else ""
    return (
        f'<label class="check"><input type="checkbox" name="{name}" '
        f'value="{escape(value, quote=True)}"{state}> {escape(label)}</label>'
    )


def select(label: str, name: str, options: Mapping[str, str], chosen: str) -> str:
    """A labelled choice."""
    items = "".join(
        f'<option value="{escape(value, quote=True)}"{" selected" if value == chosen else ""}>'
        f"{escape(text)}</option>"
        for value, text in options.items()
    )
    return f'<label>{escape(label)} <select name="{name}">{items}</select></label>'


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], empty: str) -> str:
    """A table, whose cells are HTML; or the sentence `empty`."""
    names = list(heads)
    lines = "".join(
        "<tr>"
        + "".join(
            f'<td data-label="{escape(name)}">{cell}</td>'
            for name, cell in zip(names, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    if not lines:
        return f"<p>{escape(empty)}</p>"
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def section(title: str, body: str) -> str:
    """A part of a page."""
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def link(text: str, *parts: str) -> str:
    """A link within the dashboard."""
    return f'<a href="/dashboard{href(*parts)}">{escape(text)}</a>'


def query_link(text: str, path: str, **query: str) -> str:
    """A link within the dashboard, with a query."""
    return f'<a href="/dashboard{path}?{escape(urlencode(query))}">{escape(text)}</a>'


def _attributes(**attributes: str) -> str:
    return " ".join(
        f'{name.rstrip("_")}="{escape(value, quote=True)}"' if value else name
        for name, value in attributes.items()
    )
