"""External API: the quickstart's last page, which calls your own API."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import reflex as rx

from app.auth import AuthError, AuthState, ConsentRequired, MfaRequired, UserScopedState
from app.auth_service import auth

from ..components.layout import layout
from ..components.problem import describe, url_to_allow
from ..config import EXTERNAL_API_AUDIENCE, EXTERNAL_API_URL

PATH = "/external"
_SCOPE = re.compile(r'scope="([\x21\x23-\x5b\x5d-\x7e ]+)"')


@auth.public
class ExternalState(UserScopedState):
    """Calls the API's two endpoints. `ask_url` is the link that asks for a missing scope."""

    answer: str = ""
    problem: str = ""
    ask_url: str = ""

    @rx.event
    def forget(self) -> None:
        """When the page is opened: discard the result of earlier calls."""
        self.reset()  # type: ignore[no-untyped-call]

    @rx.event(background=True)
    @auth.require_login
    async def call(self) -> None:
        """Call the endpoint that requires the scope `read:messages`."""
        await self._get("/api/external")

    @rx.event(background=True)
    async def call_public(self) -> None:
        """Call the public endpoint, with a token if a user is signed in."""
        await self._get("/api/public")

    async def _get(self, path: str) -> None:
        answer, problem, ask_url = "", "", ""
        try:
            async with auth.http_client(self) as http:
                response = await http.get(f"{EXTERNAL_API_URL}{path}")
            answer = _pretty(response.raise_for_status().json())
        except (ConsentRequired, MfaRequired) as error:
            problem, ask_url = describe(error), url_to_allow(error)
        except httpx.HTTPStatusError as error:
            problem, ask_url = describe(error), _url_for_missing_scope(error.response)
        except (AuthError, httpx.HTTPError, ValueError) as error:
            problem = describe(error)
        async with self:
            self.answer, self.problem, self.ask_url = answer, problem, ask_url


def _pretty(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _url_for_missing_scope(response: httpx.Response) -> str:
    """The link that asks for the scope named in a 403 (RFC 6750 section 3.1); empty if none is."""
    scope = _SCOPE.search(response.headers.get("www-authenticate", ""))
    if response.status_code != 403 or scope is None:
        return ""
    return auth.login_url(PATH, audience=EXTERNAL_API_AUDIENCE, scope=scope[1])


@auth.public
def external() -> rx.Component:
    return layout(
        rx.el.section(
            rx.el.h1("External API"),
            rx.el.p(
                "Your own API. Its audience is not that of the profile's API, so it needs another "
                "access token. The interceptor chooses the token by the URL.",
                class_name="muted",
            ),
            rx.el.p(
                rx.cond(
                    AuthState.is_authenticated,
                    rx.el.button(
                        "Call the API",
                        class_name="button",
                        on_click=ExternalState.call,
                        custom_attrs={"data-testid": "call-external"},
                    ),
                ),
                rx.el.button(
                    "Call its public endpoint",
                    class_name="button quiet",
                    on_click=ExternalState.call_public,
                    custom_attrs={"data-testid": "call-public"},
                ),
                class_name="choices",
            ),
            class_name="card",
            on_mount=ExternalState.forget,
        ),
        rx.cond(ExternalState.problem != "", refused()),
        rx.cond(ExternalState.answer != "", answered()),
        here="/external",
    )


def answered() -> rx.Component:
    return rx.el.section(
        rx.el.h2("The API's answer"),
        rx.el.pre(
            ExternalState.answer,
            tab_index=0,
            role="region",
            aria_label="The API's answer",
            custom_attrs={"data-testid": "external-answer"},
        ),
        class_name="card",
    )


def refused() -> rx.Component:
    return rx.el.section(
        rx.el.p(ExternalState.problem, role="alert", custom_attrs={"data-testid": "auth-error"}),
        rx.cond(
            ExternalState.ask_url != "",
            rx.fragment(
                way_to_the_answer(),
                rx.el.a(
                    "Allow it",
                    href=ExternalState.ask_url,
                    reload_document=True,
                    class_name="button",
                    custom_attrs={"data-testid": "ask-for-scope"},
                ),
            ),
        ),
        class_name="card problem",
    )


def way_to_the_answer() -> rx.Component:
    """Where the user is on the way from a refused call to the answer."""
    return rx.el.ol(
        rx.el.li("The call was refused", class_name="done"),
        rx.el.li(
            "Allow what is missing, at the login service",
            class_name="here",
            custom_attrs={"aria-current": "step"},
        ),
        rx.el.li("Call the API again"),
        class_name="path",
    )
