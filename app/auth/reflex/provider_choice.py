"""The page on which a user chooses one of several login providers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import reflex as rx

from ..access.policy import PUBLIC
from ..config import LOGIN_PARAMETERS
from ..texts import AuthTexts
from .access_rules import mark
from .navigation import LoginUrl
from .state import AuthState

# What the chosen link keeps of the link that led to the page; `/auth/login` checks all of it.
_KEPT = LOGIN_PARAMETERS | {"audience", "replay", "scope", "target_link_uri"}


class ProviderChoice(rx.State):
    """The links of the page. Their parameters are those of the page's own URL."""

    # Set when the layer is installed.
    _texts: ClassVar[AuthTexts] = AuthTexts()
    _login_url: ClassVar[LoginUrl]
    _titles: ClassVar[Mapping[str, str]] = {}

    @rx.var
    def links(self) -> list[dict[str, str]]:
        """`name`, `title` and `url` of each provider, in the order of `AuthService`. Empty before
        the page is connected: only then its URL is known, and a link would lead elsewhere.
        """
        if not self.router.session.client_token:
            return []
        query = self.router.url.query_parameters
        texts = type(self)._texts
        language = texts.choose(self.router.headers.accept_language)
        title = texts.text("log_in_with", language)
        kept = {name: value for name, value in query.items() if name in _KEPT}
        return [
            {
                "name": name,
                "title": title.replace("{provider}", shown),
                "url": type(self)._login_url(query.get("return_to", "/"), provider=name, **kept),
            }
            for name, shown in type(self)._titles.items()
        ]


mark(ProviderChoice, PUBLIC)


def provider_links() -> rx.Component:
    """A link for each provider."""

    def link(each: Any) -> rx.Component:
        return rx.el.li(
            rx.el.a(
                each["title"],
                href=each["url"],
                reload_document=True,  # the backend answers it, and not a page of the app
                class_name="auth-button",
                custom_attrs={"data-testid": f"login-{each['name']}"},
            )
        )

    return rx.el.ul(
        rx.foreach(ProviderChoice.links, link),
        class_name="auth-providers",
        role="list",
        lang=AuthState.language,
    )


def choice_of_provider(text: Callable[[str], Any]) -> rx.Component:
    """The content of the page. `text` returns a text in the language of the browser."""
    return rx.el.section(
        rx.el.h1(text("choose_provider_title")),
        rx.el.p(text("choose_provider")),
        provider_links(),
        class_name="auth-card",
        lang=AuthState.language,
    )
