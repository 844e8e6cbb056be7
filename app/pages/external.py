"""External API: the quickstart's last page, which calls your own API."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import httpx
import reflex as rx
from reflex.event import EventCallback
from reflex.vars import ObjectVar

from app.auth import AuthError, AuthState, ConsentRequired, MfaRequired, UserScopedState
from app.auth_service import auth

from ..components.layout import layout
from ..components.local_time import iso, local_time
from ..components.problem import describe, url_to_allow
from ..config import EXTERNAL_API_AUDIENCE, EXTERNAL_API_URL

PATH = "/external"
_SCOPE = re.compile(r'scope="([\x21\x23-\x5b\x5d-\x7e ]+)"')

Step = dict[str, str]
Grants = list[list[str]]


@auth.public
class ExternalState(UserScopedState):
    """Calls the API's two endpoints, and draws what happens as steps. `ask_url` is the link that
    asks for what is missing. The State outlives that login: it is of the same user in the same
    tab. Back on the page, the call that was refused is made once more by itself."""

    answer: str = ""
    problem: str = ""
    ask_url: str = ""
    steps: list[Step] = []
    has_steps: bool = False

    _refused: str = ""  # the path of the call that waits for more rights
    _grants: Grants = []  # what the session had when it was refused

    @rx.event
    async def come_back(self) -> EventCallback[()] | None:
        """When the page is opened: call again if the user has come back with more rights."""
        if not self._refused or self._grants == await self._held():
            return None
        return ExternalState.call_again

    @rx.event(background=True)
    @auth.require_login
    async def call_again(self) -> None:
        """Make the refused call again, once: it is taken out first. A client that sends this event
        at another time finds none."""
        async with self:
            path, self._refused, self.ask_url, self.problem = self._refused, "", "", ""
            if path:
                self.steps = [*self.steps[:-1], step("done", "You allowed it")]
        if path:
            await self._get(path, "Called again by itself")

    @rx.event(background=True)
    @auth.require_login
    async def call(self) -> None:
        """Call the endpoint that requires the scope `read:messages`."""
        await self._start("/api/external")

    @rx.event(background=True)
    async def call_public(self) -> None:
        """Call the public endpoint, with a token if a user is signed in."""
        await self._start("/api/public")

    async def _start(self, path: str) -> None:
        async with self:
            self.reset()  # type: ignore[no-untyped-call]
        await self._get(path, "Called the API")

    async def _get(self, path: str, what: str) -> None:
        """Call an endpoint. The last step says that it is under way, and then what came of it."""
        answer, problem, ask_url, result = "", "", "", ""
        async with self:
            self.steps, self.has_steps = [*self.steps, step("here", f"{what}…")], True
        began_at = time.monotonic()
        try:
            async with auth.http_client(self) as http:
                response = await http.get(f"{EXTERNAL_API_URL}{path}")
            result = str(response.status_code)
            answer = _pretty(response.raise_for_status().json())
        except (ConsentRequired, MfaRequired) as error:
            problem, ask_url, result = describe(error), url_to_allow(error), "not sent"
        except httpx.HTTPStatusError as error:
            problem, ask_url = describe(error), _url_for_missing_scope(error.response)
        except (AuthError, httpx.HTTPError, ValueError) as error:
            problem = describe(error)
        took = f"{(time.monotonic() - began_at) * 1000:.0f} ms"
        grants = await self._held() if ask_url else []
        async with self:
            self.answer, self.problem, self.ask_url = answer, problem, ask_url
            called = step("refused" if problem else "done", what, f"GET {path}", result, took)
            self.steps = [*self.steps[:-1], called]
            if ask_url:
                self._refused, self._grants = path, grants
                self.steps = [*self.steps, step("here", "Allow it, at the login service")]

    async def _held(self) -> Grants:
        """The audiences and scopes that the session has tokens for."""
        try:
            return [[each.audience, each.scope] for each in await auth.token_expiries(self)]
        except AuthError:
            return self._grants  # unknown: no reason to call again


def step(state: str, text: str, request: str = "", result: str = "", took: str = "") -> Step:
    """A step that is `done`, was `refused`, or is where the user is (`here`)."""
    at = iso(time.time()) if state != "here" else ""
    values = {"request": request, "result": result, "took": took, "at": at}
    return {"state": state, "text": text, **values}


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
            rx.cond(AuthState.is_loading, rx.fragment(), calls()),
            class_name="card",
            on_mount=ExternalState.come_back,
        ),
        rx.cond(ExternalState.has_steps, what_happened()),
        rx.cond(ExternalState.answer != "", answered()),
        here="/external",
    )


def calls() -> rx.Component:
    """What can be called, once it is known whether a user is signed in: no button moves."""
    return rx.el.p(
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
    )


def what_happened() -> rx.Component:
    """The steps and, if the last call was refused, what the user can do."""
    return rx.el.section(
        rx.el.h2("What happened"),
        timeline(ExternalState.steps),
        rx.cond(
            ExternalState.problem != "",
            rx.el.p(
                ExternalState.problem, role="alert", custom_attrs={"data-testid": "auth-error"}
            ),
        ),
        rx.cond(
            ExternalState.ask_url != "",
            rx.el.p(
                rx.el.a(
                    "Allow it",
                    href=ExternalState.ask_url,
                    reload_document=True,
                    class_name="button",
                    custom_attrs={"data-testid": "ask-for-scope"},
                ),
                rx.el.span("The call is then made again by itself.", class_name="muted small"),
                class_name="choices",
            ),
        ),
        class_name="card problem",
    )


def timeline(steps: rx.Var[list[Step]] | list[Step]) -> rx.Component:
    return rx.el.ol(
        rx.foreach(steps, _step), class_name="path", custom_attrs={"data-testid": "steps"}
    )


def _step(each: ObjectVar[Step]) -> rx.Component:
    """A sign and a word say what the colour says."""
    return rx.el.li(
        rx.el.div(
            rx.el.p(
                rx.match(
                    each["state"],
                    ("done", rx.el.span("Done: ", class_name="unseen")),
                    ("refused", rx.el.span("Refused: ", class_name="unseen")),
                    rx.el.span("Now: ", class_name="unseen"),
                ),
                each["text"],
            ),
            rx.el.p(
                rx.cond(each["request"] != "", rx.el.code(each["request"])),
                rx.cond(each["result"] != "", rx.el.span(each["result"], class_name="badge")),
                rx.cond(each["took"] != "", rx.el.span(each["took"])),
                rx.cond(each["at"] != "", local_time(each["at"], has_date=False)),
                class_name="muted small choices",
            ),
        ),
        class_name=each["state"],
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
