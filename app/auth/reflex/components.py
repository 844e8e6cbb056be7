"""The links and components of AuthService that an app puts into its own pages."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventCallback, EventSpec

from ..config import AuthConfig
from ..errors import ConfigError
from ..flows.login_link import DEFAULT_RETURN_TO, login_mode, safe_return_to
from ..flows.logout import LogoutOptions, safe_logout_target
from ..session import LoginMode
from .drafts import draft, draft_field, forget_draft
from .expiry_warning import expiry_bar, expiry_warning
from .navigation import DocumentForm
from .pages import Views
from .provider_choice import provider_links
from .request_inspector import request_inspector
from .state import AuthState


class AuthComponents:
    """A part of AuthService, which sets these attributes: `config` is the one it was made with, and
    `views` are the default pages. Texts are in the browser's language."""

    config: AuthConfig
    views: Views
    _is_inspecting: bool

    @property
    def error_path(self) -> str:
        """The path of the page for login problems."""
        return self.config.error_path

    @property
    def login_path(self) -> str | None:
        """The path of the page that lists the providers; None if the app has one."""
        return self.config.login_path if self.views.providers else None

    def login_url(
        self,
        return_to: str = "/",
        *,
        audience: str | None = None,
        scope: str | None = None,
        provider: str | None = None,
        **parameters: str,
    ) -> str:
        """Return the URL that starts a login and returns to the path `return_to`: a page of this
        app, else "/".

        `audience` (one in the allowed list) and `scope` (space-separated) request more than the
        default. `provider` is the name of one of several providers. `parameters` are those of
        `LOGIN_PARAMETERS`, such as `prompt="login"` or `organization="org_1"`.
        """
        return_to = safe_return_to(return_to)
        query = {"return_to": return_to, "audience": audience, "scope": scope, "provider": provider}
        query.update(parameters)
        given = {name: value for name, value in query.items() if value}
        # The backend's origin, which in development is not the page's. With several base URLs, the
        # browser stays at its own, and the URL has no origin.
        return f"{self.config.api_prefix}/auth/login?{urlencode(given)}"

    def login_link(self, *children: Any, **props: Any) -> rx.Component:
        """Return a link that logs in and returns to this page. Its text is `children`, or "Log in".
        `href` may be another `login_url(...)`."""
        return self.views.login_link(*children, **props)

    def login_popup(
        self, *children: Any, url: str | rx.Var[Any] | None = None, **props: Any
    ) -> rx.Component:
        """Return a link that logs in in a window of its own, which closes itself. The page stays
        as it is, with what is typed into it, and shows the login in place.

        Its text is `children`, or "Log in". `url` is another login than that of this page: a
        `login_url(...)`, or the `login_url` of an error such as `ConsentRequired`. Where the
        browser blocks the window, or has no JavaScript, the link is one like `login_link`.
        """
        return self.views.login_popup(*children, url=url, **props)

    @property
    def silent_login(self) -> EventCallback[()]:
        """The event that logs a user in who is logged in at the provider, for the `on_load` of
        public pages. It asks the provider (`prompt=none`), once in each tab, and never the user.

        `AuthService(silent_login=True)` does this for every public page.

        Raises:
            ConfigError: `authorization_params` allow no link `prompt=none`.
        """
        params = self.config.authorization_params
        if login_mode(params, {"prompt": "none"}) != LoginMode.SILENT:
            raise ConfigError(
                "silent_login: no login link can send prompt=none. Add prompt to link_parameters, "
                "and remove it from fixed_parameters."
            )
        event: Any = AuthState.silent_login
        return cast(EventCallback[()], event)

    def logout_form(
        self,
        *children: rx.Component,
        return_to: str = DEFAULT_RETURN_TO,
        federated: bool = False,
        local: bool = False,
        **props: Any,
    ) -> rx.Component:
        """Return a form around a submit button, which logs out here and at the provider.

        Afterwards the browser goes to `return_to`: a path of this app, or one of
        `AuthConfig.logout_urls`. With `federated`, Auth0 also logs the user out at the identity
        provider behind it; other providers ignore that. With `local`, the user stays logged in at
        the provider.

        Raises:
            ValueError: `return_to` is none of these, or `local` and `federated` are both set.
        """
        if safe_logout_target(return_to, self.config.logout_urls) != return_to:
            raise ValueError(
                f"A logout cannot return to {return_to!r}: it is neither a path of this app nor "
                "one of AuthConfig.logout_urls."
            )
        if local and federated:
            raise ValueError("A logout that is local does not reach the provider: not federated.")
        fields = LogoutOptions(return_to, is_federated=federated, is_local=local).fields()
        hidden = [rx.el.input(type="hidden", name=key, value=fields[key]) for key in fields]
        action = f"{self.config.api_prefix}/auth/logout"
        form: rx.Component = DocumentForm.create(
            *hidden, *children, action=action, method="post", **props
        )
        return form

    def expiry_warning(self, *, is_sample: bool = False, **props: Any) -> rx.Component:
        """Return a bar at the lower edge of the window, to put once into a page. It is shown in the
        last minute of the session, with a button that lets the session go on; or with a link to log
        in again, when its absolute end is near. With `is_sample`, the bar is always shown and says
        nothing of the session: for a page of all components (a styleguide)."""
        if is_sample:
            text = rx.Var.create(self.views.text("expires")).to(str).replace("{time}", "12:34")
            return rx.el.div(
                expiry_bar(self.views, text, **props),
                class_name="auth-expiry-sample",
                lang=AuthState.language,
            )
        return expiry_warning(self.views, f"{self.config.api_prefix}/auth/session", **props)

    def draft(self, name: str, *, on_restore: Any) -> rx.Component:
        """Return an invisible element that gives the app a text again which was typed and not
        saved, and whose State is gone: after a lost connection, a restart of the backend, a page
        load, or a login in between.

        `on_restore` is an event handler with one argument, `{"text": ..., "since": ...}`: the text
        of `draft_field(name, ...)`, and what that field began with. It shows the text in the
        editor, and says that it is not saved. The arguments come from the browser, as all do.
        Put the element where it is shown with and without the editor. The text is in the browser's
        `sessionStorage`, for this user only, and is gone with a logout.

        Raises:
            ValueError: the name is not of letters, digits, `-` and `_`.
        """
        return draft(name, on_restore)

    def draft_field(self, name: str, *, since: str | rx.Var[str] = "") -> dict[str, Any]:
        """Return the `custom_attrs` of an `input`, a `textarea` or a `form` whose text
        `draft(name)` gives again. The text of a form is a JSON object of its named fields, without
        passwords. `since` is the text that it began with. Raises `ValueError`, as `draft` does."""
        return draft_field(name, since)

    def forget_draft(self, name: str) -> EventSpec:
        """Return the event that drops the text of `draft_field(name, ...)`. Return it from the
        handler that has saved the text or, when the user cancels, given it up."""
        return forget_draft(name)

    def user_name(self) -> rx.Component:
        """Return the user's name: the claim `name`; or `email`, or else `sub`."""
        user: Any = AuthState.user
        shown = user["sub"]
        for claim in ("email", "name"):
            shown = rx.cond(user[claim], user[claim], shown)
        return rx.fragment(shown)

    def user_menu(self, **props: Any) -> rx.Component:
        """Return the user's picture, name and a button to log out; a link to log in if no user is
        signed in; nothing until that is known, so that no button flickers."""
        props.setdefault("class_name", "auth-user-menu")
        return rx.el.div(
            rx.cond(
                AuthState.is_loading,
                rx.fragment(),
                rx.cond(
                    AuthState.is_authenticated,
                    self._signed_in(),
                    self.login_link(class_name="auth-button"),
                ),
            ),
            **{"lang": AuthState.language, **props},
        )

    def login_problem(self) -> rx.Component:
        """Return the content of the page for login problems, to put into a page of the app."""
        return self.views.login_problem()

    def provider_links(self) -> rx.Component:
        """Return the list of links to the providers, to put into a login page of the app. The links
        keep what the URL of that page asks for."""
        return provider_links()

    def request_inspector(self) -> rx.Component:
        """Return a live panel of this user's outgoing requests, or nothing if it is not enabled."""
        return request_inspector() if self._is_inspecting else rx.fragment()

    def _signed_in(self) -> rx.Component:
        user: Any = AuthState.user
        picture = user["picture"]
        button = rx.el.button(
            self.views.text("log_out"),
            type="submit",
            class_name="auth-button auth-quiet",
            custom_attrs={"data-testid": "logout"},
        )
        return rx.fragment(
            rx.cond(
                picture,
                rx.el.img(
                    src=picture, alt="", class_name="auth-picture", referrer_policy="no-referrer"
                ),
            ),
            rx.el.span(
                self.user_name(), class_name="auth-name", custom_attrs={"data-testid": "user-name"}
            ),
            self.logout_form(button),
        )
