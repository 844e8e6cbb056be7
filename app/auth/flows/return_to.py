"""Where a person goes after login: a path of this app, or the default."""

from __future__ import annotations

from urllib.parse import urlsplit

DEFAULT_RETURN_TO = "/"
_MAXIMUM_LENGTH = 2048


def safe_return_to(text: str | None) -> str:
    """`text` if it can only mean a page on this origin, else "/".

    Refused are absolute and scheme-relative URLs, backslashes (browsers read them as slashes),
    control characters and white space (browsers drop them), and the auth layer's own routes, which
    would loop.
    """
    if not text or len(text) > _MAXIMUM_LENGTH or not text.isascii():
        return DEFAULT_RETURN_TO
    if not text.startswith("/") or text.startswith("//") or "\\" in text:
        return DEFAULT_RETURN_TO
    if any(character <= " " or character == "\x7f" for character in text):
        return DEFAULT_RETURN_TO
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or parts.path == "/auth" or parts.path.startswith("/auth/"):
        return DEFAULT_RETURN_TO
    return text


def page_of(target: str) -> str:
    """The page without its query, which may hold what is nobody's business but the page's."""
    return urlsplit(target).path
