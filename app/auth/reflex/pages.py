"""The default pages and views: login problem, signed out, forbidden, waiting.

All are plain HTML elements with class names that begin with `auth-`, styled by `reflex-oidc.css`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import reflex as rx

from ..access.policy import PUBLIC
from ..errors import ERROR_ID
from ..flows.refusals import Refusal
from ..texts import AuthTexts
from ..texts.english import PROBLEMS
from .access_rules import mark
from .navigation import LoginUrl
from .provider_choice import ProviderChoice, choice_of_provider
from .state import AuthState

View = Callable[[], rx.Component]


@dataclass(frozen=True, slots=True)
class AuthPages:
    """An app's own pages in place of the default ones. Each is a function that returns a component.

    - `login`: the page at `AuthConfig.login_path`, on which the user chooses one of several
      providers. The default content is `auth.provider_links()` below a title.
    - `error`: the page at `AuthConfig.error_path`, for a login that failed or was declined. The URL
      has `code`, `id`, `return_to` and, of a refused login, `reason`, which is sealed. The default
      content is `auth.login_problem()`.
    - `signed_out`: shown in place of a guarded page when its session has ended.
    - `forbidden`: shown to a signed-in user who may not see the page.
    - `waiting`: shown until it is known whether a user is signed in.
    """

    error: View | None = None
    login: View | None = None
    signed_out: View | None = None
    forbidden: View | None = None
    waiting: View | None = None


class LoginProblem(rx.State):
    """What the page for login problems shows. Of the URL, nothing but the error id reaches the
    page: the code selects a text, `return_to` is a path on this origin, the sentences about a
    refused login are sealed, and `acr_values` goes into a login link, which checks it."""

    # Set when the layer is installed.
    _texts: ClassVar[AuthTexts] = AuthTexts()
    _login_url: ClassVar[LoginUrl]
    _refusal: ClassVar[Callable[[str, str, str], Refusal | None]] = lambda *_: None

    @rx.var
    def code(self) -> str:
        """The stable code of the problem, `login_failed` if it is not a known one. The code of a
        refused login is the app's."""
        query = self.router.url.query_parameters
        refusal = self._refused(self.router.session.client_token, query)
        if refusal and not refusal.is_of_provider:
            return refusal.code
        code = query.get("code", "")
        return code if f"{code}_title" in PROBLEMS else "login_failed"

    @rx.var
    def is_none(self) -> bool:
        """Whether the URL names no problem: the page was opened by hand."""
        query = self.router.url.query_parameters
        return not (query.get("code") or query.get("reason"))

    @rx.var
    def reason(self) -> str:
        """The app's sentence about a refused login, plain text; empty for any other problem."""
        query = self.router.url.query_parameters
        refusal = self._refused(self.router.session.client_token, query)
        return refusal.reason if refusal and not refusal.is_of_provider else ""

    @rx.var
    def provider_reason(self) -> str:
        """The provider's sentence about a login that it refused, plain text; empty for any other
        problem, and unless `AuthConfig.show_error_description` is set."""
        query = self.router.url.query_parameters
        refusal = self._refused(self.router.session.client_token, query)
        return refusal.reason if refusal and refusal.is_of_provider else ""

    @rx.var
    def title(self) -> str:
        key = "login_refused" if self.reason else self.code
        return self._text(f"{key}_title", self.router.headers.accept_language)

    @rx.var
    def text(self) -> str:
        return self.reason or self._text(self.code, self.router.headers.accept_language)

    @rx.var
    def error_id(self) -> str:
        """The id that the log line of the same error begins with; empty if the URL has none."""
        error_id = self.router.url.query_parameters.get("id", "")
        return error_id if ERROR_ID.fullmatch(error_id) else ""

    @rx.var
    def try_again_url(self) -> str:
        """The link that logs in again and returns to the page of the failed login. After a refused
        login it asks for the password: the provider would log the same user in."""
        query = self.router.url.query_parameters
        again = {name: query[name] for name in ("acr_values", "provider") if query.get(name)}
        if self.reason:
            again["prompt"] = "login"
            again.pop("acr_values", None)
        return type(self)._login_url(query.get("return_to", "/"), **again)

    @rx.var
    def login_without_url(self) -> str:
        """The same without the `acr_values` that the provider did not meet; empty for any other
        problem."""
        query = self.router.url.query_parameters
        if query.get("code") != "acr_not_met":
            return ""
        return type(self)._login_url(query.get("return_to", "/"))

    def _refused(self, tree: str, query: Mapping[str, str]) -> Refusal | None:
        return type(self)._refusal(tree, query.get("reason", ""), query.get("id", ""))

    def _text(self, key: str, accept_language: str) -> str:
        texts = type(self)._texts
        return texts.text(key, texts.choose(accept_language))


mark(LoginProblem, PUBLIC)


class Views:
    """Builds the views of one `AuthService`: the app's own, or else the default ones."""

    def __init__(self, texts: AuthTexts, providers: Mapping[str, str] | None = None) -> None:
        """`providers` are the titles of several providers, by their names."""
        self.texts = texts
        self.providers = providers or {}
        self.pages = AuthPages()

    def install(self, login_url: LoginUrl, pages: AuthPages | None) -> None:
        """Use the app's own pages, and let the States know what they need."""
        self.pages = pages or self.pages
        # Reflex creates its States itself, so they cannot get these as arguments.
        AuthState._texts = LoginProblem._texts = ProviderChoice._texts = self.texts
        LoginProblem._login_url = ProviderChoice._login_url = login_url
        ProviderChoice._titles = self.providers

    def text(self, key: str) -> Any:
        """A text in the language of the browser, as a Var."""
        texts = self.texts
        default = texts.text(key, texts.default)
        others = [tag for tag in texts.languages if tag != texts.default]
        cases = [(tag, texts.text(key, tag)) for tag in others]
        return rx.match(AuthState.language, *cases, default) if cases else default

    def error_page(self) -> rx.Component:
        """The page at `AuthConfig.error_path`."""
        return self.pages.error() if self.pages.error else _page("auth-error", self.login_problem())

    def login_page(self) -> rx.Component:
        """The page at `AuthConfig.login_path`."""
        own = self.pages.login
        return own() if own else _page("auth-login", choice_of_provider(self.text))

    def login_problem(self) -> rx.Component:
        """What went wrong, what the user can do, and the reference for the operator. Without a
        problem in the URL: whether the user is logged in."""
        return rx.cond(
            LoginProblem.is_none,
            rx.cond(AuthState.is_loading, self.waiting(), self._no_problem()),
            self._problem(),
        )

    def _no_problem(self) -> rx.Component:
        log_in = self.login_link(href=LoginProblem.try_again_url, class_name="auth-button")
        signed_in = self.text("no_problem_signed_in")
        return rx.el.section(
            rx.el.h1(self.text("no_problem_title")),
            rx.el.p(rx.cond(AuthState.is_authenticated, signed_in, self.text("signed_out"))),
            rx.el.p(
                rx.cond(AuthState.is_authenticated, rx.fragment(), log_in),
                self._start_page(),
                class_name="auth-choices",
            ),
            class_name="auth-card",
            lang=AuthState.language,
        )

    def _problem(self) -> rx.Component:
        return rx.el.section(
            rx.el.h1(LoginProblem.title, custom_attrs={"data-testid": "auth-error"}),
            rx.el.p(LoginProblem.text),
            rx.cond(
                LoginProblem.provider_reason != "",
                rx.el.p(
                    self.text("provider_says"),
                    " ",
                    rx.el.q(LoginProblem.provider_reason, dir="auto"),
                    custom_attrs={"data-testid": "provider-reason"},
                ),
            ),
            rx.el.p(
                rx.el.a(
                    self.text("try_again"),
                    href=LoginProblem.try_again_url,
                    reload_document=True,
                    class_name="auth-button",
                    custom_attrs={"data-testid": "try-again"},
                ),
                self._login_without(),
                self._start_page(),
                class_name="auth-choices",
            ),
            rx.cond(
                LoginProblem.error_id != "",
                rx.el.p(
                    self.text("reference"),
                    " ",
                    rx.el.code(LoginProblem.error_id),
                    class_name="auth-muted",
                ),
            ),
            class_name="auth-card",
            role="alert",
            lang=AuthState.language,
        )

    def waiting(self) -> rx.Component:
        """The view until it is known whether a user is signed in."""
        return self.pages.waiting() if self.pages.waiting else self._waiting(rx.el.p)

    def waiting_page(self) -> rx.Component:
        """The same in place of a page."""
        own = self.pages.waiting
        return own() if own else _page("auth-loading", self._waiting(rx.el.h1))

    def _waiting(self, element: Callable[..., rx.Component]) -> rx.Component:
        return rx.el.div(
            element(self.text("loading")),
            class_name="auth-waiting",
            role="status",
            custom_attrs={"data-testid": "loading"},
        )

    def signed_out(self) -> rx.Component:
        """The view without a session, or while sessions cannot be read."""
        own = self.pages.signed_out
        return rx.cond(
            AuthState.error != "",
            _page("auth-signed-out", self._session_unknown()),
            own() if own else _page("auth-signed-out", self._offer_login()),
        )

    def forbidden(self) -> rx.Component:
        """The view for a signed-in user who may not see the page."""
        if self.pages.forbidden:
            return self.pages.forbidden()
        return _page(
            "auth-forbidden",
            rx.el.section(
                rx.el.h1(self.text("forbidden_title"), custom_attrs={"data-testid": "auth-error"}),
                rx.el.p(self.text("forbidden")),
                rx.el.p(self._start_page(), class_name="auth-choices"),
                class_name="auth-card",
                role="alert",
                lang=AuthState.language,
            ),
        )

    def step_up(self, log_in_again: Any) -> rx.Component:
        """The view for a user who has to log in once more. `log_in_again` is the event."""
        return _page(
            "auth-forbidden",
            rx.el.section(
                rx.el.h1(self.text("step_up_title")),
                rx.el.p(self.text("step_up")),
                rx.el.p(
                    rx.el.button(
                        self.text("log_in_again"), on_click=log_in_again, class_name="auth-button"
                    ),
                    self._start_page(),
                    class_name="auth-choices",
                ),
                class_name="auth-card",
                lang=AuthState.language,
            ),
        )

    def step_up_failed(self, log_in_again: Any) -> rx.Component:
        """The view for a user who has come back from the login and still fails a check that a login
        can meet. The browser does not go there again by itself. `log_in_again` is the event."""
        return _page(
            "auth-forbidden",
            rx.el.section(
                rx.el.h1(
                    self.text("step_up_failed_title"), custom_attrs={"data-testid": "auth-error"}
                ),
                rx.el.p(self.text("step_up_failed")),
                rx.el.p(
                    rx.el.button(
                        self.text("try_again"), on_click=log_in_again, class_name="auth-button"
                    ),
                    self._start_page(),
                    class_name="auth-choices",
                ),
                class_name="auth-card",
                role="alert",
                lang=AuthState.language,
            ),
        )

    def login_link(self, *children: Any, **props: Any) -> rx.Component:
        """A link to the login that returns to this page."""
        attributes = {"data-testid": "login", **props.pop("custom_attrs", {})}
        props.setdefault("href", AuthState.login_url)
        return rx.el.a(
            *(children or (self.text("log_in"),)),
            reload_document=True,  # the backend answers it, and not a page of the app
            custom_attrs=attributes,
            **props,
        )

    def login_popup(self, *children: Any, url: Any = None, **props: Any) -> rx.Component:
        """A link that logs in in a window of its own. The script opens the window; it says what the
        attribute has if the browser blocks it."""
        attributes = {
            "data-testid": "login-popup",
            "data-auth-popup": self.text("popup_blocked"),
            **props.pop("custom_attrs", {}),
        }
        href = AuthState.login_url if url is None else url
        return self.login_link(*children, href=href, custom_attrs=attributes, **props)

    def _session_unknown(self) -> rx.Component:
        return rx.el.section(
            rx.el.p(AuthState.error, role="alert", custom_attrs={"data-testid": "auth-error"}),
            rx.el.p(
                rx.el.button(
                    self.text("try_again"), on_click=AuthState.refresh, class_name="auth-button"
                ),
                self._start_page(),
                class_name="auth-choices",
            ),
            class_name="auth-card",
            lang=AuthState.language,
        )

    def _offer_login(self) -> rx.Component:
        return rx.el.section(
            rx.el.h1(self.text("signed_out")),
            rx.el.p(
                self.login_link(class_name="auth-button"),
                self._start_page(),
                class_name="auth-choices",
            ),
            class_name="auth-card",
            lang=AuthState.language,
        )

    def _login_without(self) -> rx.Component:
        """For a user who is not signed in, and whose login failed for its `acr` only."""
        return rx.cond(
            (LoginProblem.login_without_url != "") & ~AuthState.is_authenticated,
            rx.el.a(
                self.text("log_in_without"),
                href=LoginProblem.login_without_url,
                reload_document=True,
                class_name="auth-link",
            ),
        )

    def _start_page(self) -> rx.Component:
        return rx.el.a(self.text("start_page"), href="/", class_name="auth-link")


def _page(name: str, content: rx.Component) -> rx.Component:
    """A page of its own around a view. `name` is a class for stylesheets."""
    return rx.el.main(content, class_name=f"auth-page {name}")
