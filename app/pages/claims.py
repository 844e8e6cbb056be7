"""What a profile says about the login: the user's claims, and when the access tokens expire."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.vars import FunctionStringVar, ObjectVar

from app.auth import AuthState, StoreUnavailable, TokenExpiry, User, UserScopedState
from app.auth_service import auth

from ..components.local_time import iso, local_time
from ..config import EXTERNAL_API_AUDIENCE, config

Row = dict[str, str]

# The first claims of the list, with their names; the others follow under their own.
LABELS = {
    "name": "Name",
    "given_name": "Given name",
    "middle_name": "Middle name",
    "family_name": "Family name",
    "nickname": "Nickname",
    "preferred_username": "User name",
    "email": "Email",
    "email_verified": "Email verified",
    "phone_number": "Phone number",
    "phone_number_verified": "Phone number verified",
    "gender": "Gender",
    "birthdate": "Date of birth",
    "locale": "Language",
    "zoneinfo": "Time zone",
    "address": "Address",
    "updated_at": "Last changed",
    "profile": "Profile page",
    "website": "Website",
    "picture": "Picture",
    "sub": "User ID",
}
APIS = {
    config.authorization_params.audience: "Profile API",
    EXTERNAL_API_AUDIENCE: "External API",
}

# From the claims to rows of label, text and time. In the browser, so that the list is there when
# the user's name is. A time is in seconds (OpenID Connect Core section 5.1) or, at Auth0, a text.
_ROWS: Any = FunctionStringVar.create(
    """((claims, labels) => {
      const names = Object.keys(labels);
      const place = (name) => (names.indexOf(name) + 1 || Infinity);
      const time = (value) => {
        const at = new Date(typeof value === "number" ? value * 1000 : value);
        return isNaN(at) ? "" : at.toISOString();
      };
      const text = (value) =>
        typeof value === "boolean" ? (value ? "yes" : "no")
        : typeof value === "string" ? value : JSON.stringify(value, null, 2);
      return Object.entries(claims ?? {})
        .sort(([one], [other]) => place(one) - place(other) || 0)
        .map(([name, value]) => ({
          label: labels[name] ?? name,
          text: text(value),
          time: name === "updated_at" ? time(value) : "",
          width: text(value).length > 26 ? "wide" : "",
        }));
    })"""
)


class CountdownElement(rx.el.Span):  # type: ignore[misc]  # loaded lazily
    """The custom element `<app-countdown>` of `page.js`: the time that is left, which ticks in the
    browser."""

    tag = "AppCountdown"
    alias = "app-countdown"


class TokenState(UserScopedState):
    """Knows when the tokens of this session expire, and again whenever one is renewed."""

    tokens: list[Row] = []
    has_tokens: bool = False

    @auth.on_user_change
    async def list_tokens(self, user: User | None) -> None:
        if user is not None:
            await self._list()

    @auth.on_token_refresh
    async def list_renewed(self) -> None:
        await self._list()

    async def _list(self) -> None:
        try:
            tokens = [row(each) for each in await auth.token_expiries(self)]
        except StoreUnavailable:
            return  # the profile says so already
        async with self:
            self.tokens, self.has_tokens = tokens, len(tokens) > 0


def row(expiry: TokenExpiry) -> Row:
    """The texts of one token's row."""
    return {
        "api": APIS.get(expiry.audience, "API"),
        "audience": expiry.audience,
        "expires_at": iso(expiry.expires_at),
        "over": "renewed when needed" if expiry.is_renewable else "expired: log in again",
    }


def claims() -> rx.Component:
    """The public claims of the signed-in user."""
    return claim_list(AuthState.user)


def claim_list(user: Any) -> rx.Component:
    """A card with these claims."""
    rows = _ROWS.call(user, LABELS).to(list[dict[str, str]])
    return rx.el.section(
        rx.el.h2("Your claims"),
        rx.el.dl(
            rx.foreach(rows, _claim), class_name="claims", custom_attrs={"data-testid": "claims"}
        ),
        class_name="card",
    )


def _claim(claim: ObjectVar[Row]) -> rx.Component:
    return rx.el.div(
        rx.el.dt(claim["label"]),
        rx.el.dd(
            rx.cond(claim["time"] != "", local_time(claim["time"]), claim["text"]), dir="auto"
        ),
        class_name=claim["width"],
    )


def token_times() -> rx.Component:
    """When the token for each API expires. Below the metadata, once these are there: what comes
    late then moves nothing."""
    return rx.cond(TokenState.has_tokens, token_list(TokenState.tokens))


def token_list(tokens: Any) -> rx.Component:
    """A card with these rows."""
    return rx.el.section(
        rx.el.h2("Your access tokens"),
        rx.el.p(
            "They are on the server, one for each API. This page knows when they expire, and no "
            "more.",
            class_name="muted",
        ),
        rx.el.dl(
            rx.foreach(tokens, _token), class_name="facts", custom_attrs={"data-testid": "tokens"}
        ),
        class_name="card",
    )


def _token(token: ObjectVar[Row]) -> rx.Component:
    return rx.el.div(
        rx.el.dt(token["api"], " ", rx.el.code(token["audience"])),
        rx.el.dd(
            rx.el.span("Expires ", local_time(token["expires_at"])),
            CountdownElement.create(
                key=token["expires_at"],
                custom_attrs={
                    "data-until": token["expires_at"],
                    "data-over": token["over"],
                    "data-testid": "countdown",
                },
            ),
        ),
    )
