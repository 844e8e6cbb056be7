"""The views in place of a guarded page: the default ones, or the app's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx

from app.auth import AuthConfig, AuthPages, AuthTexts
from app.auth.access.checks import has_role
from app.auth.access.policy import PUBLIC, SIGNED_IN, Rule
from app.auth.audit import AuditTrail
from app.auth.reflex.access_control import AccessControl
from app.auth.reflex.access_rules import AccessRules, mark
from app.auth.reflex.components import AuthComponents
from app.auth.reflex.guard import guard_page
from app.auth.reflex.pages import Views


def rendered(views: Views) -> str:
    """A guarded page with a check, as it is compiled."""
    page = mark(lambda: rx.el.p("for some"), Rule(checks=(has_role("admin"),)))
    return str(guard_page(page, views)())


@pytest.mark.parametrize(
    ("view", "text"),
    [
        ("signed_out", "You are not logged in."),
        ("forbidden", "This page is not for you"),
        ("waiting", "auth-waiting"),
    ],
)
def test_own_view(app: rx.App, view: str, text: str) -> None:
    """Each view can be replaced, and the others stay."""
    default, own = Views(AuthTexts()), Views(AuthTexts())
    replaced: dict[str, Any] = {view: lambda: rx.el.p("of the app")}
    own.pages = AuthPages(**replaced)
    assert text in rendered(default)
    assert text not in rendered(own)
    assert "of the app" in rendered(own)
    assert "Confirm that it is you" in rendered(own)


def test_every_language(app: rx.App) -> None:
    """A view has its text in each language, and shows one of them by the browser's."""
    views = Views(AuthTexts({"fr": {"log_in": "Se connecter"}}))
    link = str(views.login_link())
    for text in ("Log in", "Anmelden", "Se connecter"):
        assert text in link


def test_own_link(app: rx.App) -> None:
    """A link to the login takes the app's own children and props, and stays a document link."""
    link = str(Views(AuthTexts()).login_link("Enter", href="/auth/login?x", class_name="mine"))
    for text in ("Enter", "/auth/login?x", "mine", "reloadDocument", '"data-testid"'):
        assert text in link
    assert "Anmelden" not in link


def test_popup_link(app: rx.App) -> None:
    """A link that opens a window has the page's login or another one, and says in each language
    what is shown where the browser blocks the window."""
    views = Views(AuthTexts())
    link = str(views.login_popup("Allow it", url="/auth/login?x", custom_attrs={"title": "Allow"}))
    for text in ("Allow it", "/auth/login?x", "title:", "reloadDocument"):
        assert text in link
    for text in ("data-auth-popup", "blocked the login window", "das Anmeldefenster blockiert"):
        assert text in link
    assert "login_url" in str(views.login_popup())


def on_mount(page: Callable[[], rx.Component]) -> str:
    """What a page does when it is shown. The mark of whom the tab shows is around it."""
    marked = page()
    parts = (marked, *marked.children)
    return str([part.event_triggers.get("on_mount") for part in parts])


def test_silent_login(app: rx.App) -> None:
    """A public page logs in silently if the app wants it to, and a guarded one never."""
    public = mark(lambda: rx.el.p("for all"), PUBLIC)
    for silent_login in (True, False):
        access = AccessControl(
            AccessRules(SIGNED_IN),
            str,
            AuditTrail((), clock=float),
            silent_login=silent_login,
            clock=float,
        )
        assert ("silent_login" in on_mount(access._guarded(public))) is silent_login
        assert "require_login" in on_mount(access._guarded(lambda: rx.el.p("for some")))


def test_name(app: rx.App) -> None:
    """The user's name is the claim `name`, or `email`, or `sub`."""
    shown = str(AuthComponents().user_name())
    assert shown.index('"name"') < shown.index('"email"') < shown.index('"sub"')


class Components(AuthComponents):
    """The components of an app that leads to one other site after a logout."""

    config = AuthConfig(
        "https://id.example", "id", "secret", logout_urls=("https://x.example/bye",)
    )
    views = Views(AuthTexts())


def test_logout_form(app: rx.App) -> None:
    """What a logout form asks for is in its hidden fields; a plain one has none."""
    assert "hidden" not in str(Components().logout_form())
    form = str(Components().logout_form(return_to="/bye", federated=True))
    assert form.count("hidden") == 2
    for text in ('"return_to"', '"/bye"', '"federated"'):
        assert text in form
    assert '"local"' in str(Components().logout_form(local=True))
    assert "x.example" in str(Components().logout_form(return_to="https://x.example/bye"))


@pytest.mark.parametrize("return_to", ["//evil.example", "https://evil.example", "/auth/login", ""])
def test_logout_form_that_cannot_work(app: rx.App, return_to: str) -> None:
    """A form that would lead elsewhere than it says is an error when the page is made."""
    with pytest.raises(ValueError, match="neither a path of this app"):
        Components().logout_form(return_to=return_to)


def test_logout_form_that_contradicts_itself(app: rx.App) -> None:
    """A logout that leaves the provider alone cannot reach further than it."""
    with pytest.raises(ValueError, match="not federated"):
        Components().logout_form(local=True, federated=True)


def test_expiry_warning(app: rx.App) -> None:
    """The warning has its texts in each language, and asks this app's backend."""
    warning = str(Components().expiry_warning())
    assert '"auth-expiry"' in warning
    assert "http://localhost:3000/auth/session" in warning
    for text in ("You will be logged out at {time}.", "Sie werden um {time} Uhr abgemeldet."):
        assert text in warning
