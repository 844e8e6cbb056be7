"""The frame of the tenant's pages, with its security headers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from starlette.responses import HTMLResponse

UNUSABLE = "This login request cannot be used"
"""The heading of a page for an authorization error that goes to no client."""


def document(
    title: str, body: str, *, status: int = 200, form_targets: Sequence[str] = ()
) -> HTMLResponse:
    """A page. `body` is HTML; `form_targets` are origins that a form's redirect may lead to."""
    targets = " ".join(("'self'", *form_targets))
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        f"frame-ancestors 'none'; form-action {targets}"
    )
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="/icon.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="/tenant.css"></head><body><main>'
        f"{body}</main><footer>Local tenant, for development only</footer></body></html>",
        status_code=status,
        headers=page_headers(policy),
    )


def page_headers(policy: str, *, referrer_policy: str = "same-origin") -> dict[str, str]:
    """The headers of a page. `policy` is its Content Security Policy, without `base-uri`."""
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"{policy}; base-uri 'none'",
        "Referrer-Policy": referrer_policy,
        "X-Content-Type-Options": "nosniff",
    }


def message(title: str, text: str, *, status: int) -> HTMLResponse:
    """A page with a heading and one sentence. Both are escaped."""
    return document(
        title, f'<h1>{escape(title)}</h1><p role="alert">{escape(text)}</p>', status=status
    )


def alert(text: str | None) -> str:
    """A message above a form, escaped; empty if there is none."""
    return f'<p class="alert" role="alert">{escape(text)}</p>' if text else ""
