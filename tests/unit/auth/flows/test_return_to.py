"""Which paths a login may return to."""

from __future__ import annotations

import pytest

from app.auth.flows.login_link import safe_return_to


@pytest.mark.parametrize(
    "path",
    [
        "/auth",
        "/auth/",
        "/auth/login?return_to=/auth/login",
        "/auth/../auth/logout",
        "/./auth/login",
        "/x/../auth/logout",
        "/x/%2e%2E/auth/logout",
        "/../auth/logout",
        "/%61uth/logout",
        "/auth%2Flogout",
        "/auth?x",
    ],
)
def test_own_route(path: str) -> None:
    """A login never returns to a route of the layer, however it is spelled."""
    assert safe_return_to(path) == "/"


@pytest.mark.parametrize("path", ["/../shop", "/x/../../shop", "/%2E%2e/shop", "/.//../shop"])
def test_above_the_app(path: str) -> None:
    """A login never returns to another app of the same origin."""
    assert safe_return_to(path) == "/"


@pytest.mark.parametrize(
    ("path", "spelled"),
    [
        ("/profile?q=gr\xfcn", "/profile?q=gr%C3%BCn"),
        ("/caf\xe9/%20?a=%C3#\u65e5", "/caf%C3%A9/%20?a=%C3#%E6%97%A5"),
        ("/" + "x" * 8000, "/" + "x" * 8000),
        ("/profile#metadata", "/profile#metadata"),
    ],
)
def test_spelling(path: str, spelled: str) -> None:
    """A login returns to a path with any characters, of any usual length, and to its fragment."""
    assert safe_return_to(path) == spelled


@pytest.mark.parametrize("path", ["/\ud83d", "/\u2028/../..", "/" + "\xe9" * 2000])
def test_unusable(path: str) -> None:
    """A path that is no text, climbs, or is too long is none to return to."""
    assert safe_return_to(path) == "/"


@pytest.mark.parametrize("path", ["/authors", "/x/auth/login", "/x?next=/auth/login", "/auth.html"])
def test_page(path: str) -> None:
    """A page whose path or query only resembles such a route is a page."""
    assert safe_return_to(path) == path
