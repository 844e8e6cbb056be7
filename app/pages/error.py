"""Error: why a login failed, and what the user can do."""

from __future__ import annotations

import re

import reflex as rx

from app.auth_service import auth

from ..components.layout import layout

# The auth layer's stable codes → title, text. Of the URL, only the error id is shown.
MESSAGES = {
    "access_denied": (
        "You did not allow it",
        "The login was declined, so nothing was shared and you are not logged in. "
        "You can log in again and choose differently.",
    ),
    "login_required": (
        "The login service needs your attention",
        "It could not log you in without asking you something. Log in again.",
    ),
    "consent_required": (
        "You have not allowed it yet",
        "The login service wants to ask you first. Log in again.",
    ),
    "temporarily_unavailable": (
        "The login service is busy",
        "Nothing is lost. Wait a moment, then try again.",
    ),
    "invalid_scope": (
        "The login service does not know a permission",
        "This app asked for one that does not exist there. If this persists, check AUTH0_SCOPE.",
    ),
    "invalid_state": (
        "This login is no longer open",
        "It was finished, took too long, or began in another browser. Start again from here.",
    ),
    "invalid_login_link": (
        "This login link is not valid",
        "It is damaged, or names an API, a permission or a setting that this app does not use. "
        "Start again from the app's pages.",
    ),
    "provider_unavailable": (
        "The login service does not answer",
        "Nothing is lost. Wait a moment, then try again.",
    ),
    "issuer_mismatch": (
        "The login service is not the one that was configured",
        "It identified itself by another name, so the login was stopped.",
    ),
    "userinfo_mismatch": (
        "The login could not be verified",
        "The login service described another user, so you are not logged in.",
    ),
    "provider_error": (
        "The login service gave an unusable answer",
        "The login was stopped. If this persists, check AUTH0_DOMAIN.",
    ),
    "token_endpoint_error": (
        "The login service refused to finish the login",
        "Start again. If this persists, check AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET.",
    ),
    "invalid_id_token": (
        "The login could not be verified",
        "The login service's answer did not pass every check, so you are not logged in.",
    ),
    "store_unavailable": (
        "Logins cannot be saved right now",
        "Nothing is lost. Wait a moment, then try again.",
    ),
}
FALLBACK = ("The login failed", "Nothing is lost. You can start again.")


@auth.public
class ErrorState(rx.State):
    """Reads the error code and the error id from the URL."""

    @rx.var
    def title(self) -> str:
        return self._message()[0]

    @rx.var
    def text(self) -> str:
        return self._message()[1]

    @rx.var
    def error_id(self) -> str:
        error_id = self.router.url.query_parameters.get("id", "")
        return error_id if re.fullmatch(r"[0-9a-f]{8}", error_id) else ""

    @rx.var
    def try_again_url(self) -> str:
        return auth.login_url(self.router.url.query_parameters.get("return_to", "/"))

    def _message(self) -> tuple[str, str]:
        return MESSAGES.get(self.router.url.query_parameters.get("code", ""), FALLBACK)


@auth.public
def error() -> rx.Component:
    return layout(
        rx.el.section(
            rx.el.h1(ErrorState.title, custom_attrs={"data-testid": "auth-error"}, role="alert"),
            rx.el.p(ErrorState.text),
            rx.el.p(
                rx.el.a(
                    "Try again",
                    href=ErrorState.try_again_url,
                    reload_document=True,
                    class_name="button",
                ),
                rx.el.a("Go to the start page", href="/", class_name="link"),
                class_name="choices",
            ),
            rx.cond(
                ErrorState.error_id != "",
                rx.el.p("Reference ", rx.el.code(ErrorState.error_id), class_name="muted small"),
            ),
            class_name="card problem",
        ),
    )
