"""Styleguide: the components in their states, with the texts that break layouts. In development
only."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import reflex as rx

from app.auth import AuthState
from app.auth_service import auth

from ..components.layout import layout
from ..components.metadata_form import row_fields, switch, wrong_line_of
from ..metadata_rows import WrongRows, metadata_in, rows_in
from . import external
from .account import Row, item, recent_activity
from .claims import claim_list, token_list
from .home import step
from .profile import changed_elsewhere, loading, person

PEOPLE = {
    "a name": ("Alice Liddell", "alice@example.com"),
    "a long name": (
        "Maximiliana Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh of the Lower Meadows",
        "a.very.long.address.that.does.not.end@subdomain.of.a.subdomain.example.com",
    ),
    "emoji": ("🦊 Zoë 👩‍👩‍👧‍👦 O’Brien 🏳️‍🌈", "zoe@example.com"),
    "right to left": ("ليلى بنت عبد الله", "layla@example.com"),
    "no name": ("auth0|65a4f1c2d3e4b5a697887901", ""),
}
LONG_JSON = json.dumps({f"key_{n:02}": f"value {n} " + "x" * n for n in range(38)}, indent=2)
DEVICES: list[Row] = [
    {
        "id": "1",
        "name": "Firefox on Linux",
        "address": "192.0.2.7",
        "seen": "2026-01-02T03:04:05+00:00",
        "since": "2026-01-02T03:04:05+00:00",
        "is_current": "yes",
    },
    {
        "id": "2",
        "name": "A browser with a name of more than fifty characters on a platform",
        "address": "2001:db8:85a3:8d3::/64",
        "seen": "2025-12-31T23:59:00+00:00",
        "since": "2025-12-24T18:00:00+00:00",
        "is_current": "",
    },
]
ACTIVITY: list[Row] = [
    {**DEVICES[0], "what": "Logged in", "at": "2026-01-02T03:04:05+00:00"},
    {**DEVICES[1], "what": "Logged out from another browser", "at": "2026-01-01T00:00:00+00:00"},
]
CLAIMS = {
    "sub": "auth0|65a4f1c2d3e4b5a697887901",
    "name": "Alice Liddell",
    "email": PEOPLE["a long name"][1],
    "email_verified": True,
    "updated_at": 1_767_323_045,
    "picture": f"https://cdn.example.com/{'a-path-that-does-not-end/' * 6}picture.png",
    "address": {"locality": "Oxford", "country": "GB"},
    "https://example.com/roles": ["editor", "reader"],
}
TOKENS: list[Row] = [
    {
        "api": "An API",
        "audience": "https://api.example.com/",
        "expires_at": "2099-01-02T03:04:05+00:00",
        "over": "",
    },
    {
        "api": "API",
        "audience": "https://a-name-that-is-long.example.com/and-has-a-path/of-some-length/",
        "expires_at": "2026-01-02T03:04:05+00:00",
        "over": "renewed when needed",
    },
]
AT = {"at": "2026-01-02T03:04:05+00:00"}
STEPS = [
    external.step("refused", "Called the API", "GET /api/external", "403", "12 ms") | AT,
    external.step("done", "You allowed it") | AT,
    external.step("here", "Called again by itself…"),
]

PROBLEM = "?code=access_denied&id=ab12cd34"  # what the page for login problems shows
# The default views of the library, each on a page of its own below /styleguide/.
log_in_again: Any = AuthState.refresh
VIEWS: dict[str, tuple[str, Callable[[], rx.Component]]] = {
    "forbidden": ("Forbidden", auth.views.forbidden),
    "step-up": ("A second factor is needed", lambda: auth.views.step_up(log_in_again)),
    "step-up-failed": (
        "The second factor is still missing",
        lambda: auth.views.step_up_failed(log_in_again),
    ),
    "expiring": ("Session about to expire", lambda: expiring()),
    "waiting": ("Waiting", auth.views.waiting_page),
    "signed-out": ("Signed out", auth.views.signed_out),
    "error": ("Login problem", auth.views.error_page),
}


@auth.public
def styleguide() -> rx.Component:
    return layout(
        rx.el.h1("Styleguide"),
        group("Buttons and links", buttons()),
        group("Badges", badges()),
        group("People", *(who(name, email) for name, email in PEOPLE.values())),
        group("Waiting", loading()),
        group("Messages", *messages()),
        group("The way of a refused call", external.timeline(STEPS)),
        group("Steps", rx.el.ol(*steps(), class_name="steps")),
        group("Sessions", rx.el.ul(rx.foreach(DEVICES, item), class_name="devices")),
        recent_activity(ACTIVITY),
        claim_list(CLAIMS),
        token_list(TOKENS),
        group("The library's default views", views()),
        group(
            "JSON of 40 lines", rx.el.pre(LONG_JSON, tab_index=0, role="region", aria_label="JSON")
        ),
        group("Changed elsewhere", changed_elsewhere("“color”, “size” and more")),
        group("A form with errors", form()),
        group("An editor with an error", editor()),
    )


@auth.public
def view() -> rx.Component:
    """The default view that the address names."""
    name: Any = rx.State.view  # type: ignore[attr-defined]  # a part of the route
    cases = [(key, build()) for key, (_, build) in VIEWS.items()]
    return rx.match(name, *cases, rx.fragment())


def views() -> rx.Component:
    return rx.el.ul(
        *(
            rx.el.li(rx.el.a(title, href=f"/styleguide/{key}{PROBLEM}", class_name="link"))
            for key, (title, _) in VIEWS.items()
        ),
        class_name="choices",
    )


def expiring() -> rx.Component:
    """The bar over a page."""
    text = "In the last minute of a session, a bar at the lower edge offers to go on."
    card = rx.el.section(rx.el.h1("About to expire"), rx.el.p(text), class_name="auth-card")
    return rx.fragment(
        rx.el.main(card, class_name="auth-page"), auth.expiry_warning(is_sample=True)
    )


def group(title: str, *children: rx.Component) -> rx.Component:
    return rx.el.section(rx.el.h2(title), *children, class_name="card")


def who(name: str, email: str) -> rx.Component:
    return person(name, email=email, picture="")


def buttons() -> rx.Component:
    return rx.el.div(
        rx.el.button("Main", type="button", class_name="button"),
        rx.el.button("Quiet", type="button", class_name="button quiet"),
        rx.el.button("Small", type="button", class_name="button quiet small"),
        rx.el.a("A link", href="/", class_name="link"),
        class_name="choices",
    )


def badges() -> rx.Component:
    names = {"plain": "", "chosen": "yes", "good": "good", "bad": "bad"}
    return rx.el.p(
        *(rx.el.span(text, class_name=f"badge {name}") for text, name in names.items()),
        class_name="choices",
    )


def messages() -> list[rx.Component]:
    return [
        rx.el.p("Something does not work. Try again.", class_name="banner"),
        rx.el.p("Saved.", class_name="muted"),
        rx.el.p("A note with an ", rx.el.code("inline_code"), ".", class_name="note"),
    ]


def steps() -> list[rx.Component]:
    source = "async with auth.http_client(self) as http:\n    await http.get(url)  # a comment\n"
    return [
        step(1, "Done", "This step has been done.", True, source),
        step(2, "To do", "This one has not.", False, source),
    ]


def form() -> rx.Component:
    entries = [
        ("color", "text", "blue"),
        ("size", "number", "three"),
        (
            "a name of an entry that is as long as names of entries hardly ever are",
            "text",
            "x" * 80,
        ),
        ("newsletter", "boolean", ""),
        ("nickname", "null", ""),
        ("note", "text", "Two\nlines"),
        ("color", "text", "a second one"),
    ]
    fields = {
        f"{field}-{number}": value
        for number, entry in enumerate(entries)
        for field, value in zip(("name", "kind", "value"), entry, strict=True)
    }
    rows = rows_in({**fields, "removed-2": "on"})
    try:
        metadata_in(rows)
    except WrongRows as error:
        rows = error.rows
    return rx.el.div(
        rx.el.p("An entry needs a correction.", role="alert"),
        switch("form"),
        row_fields(rows, ""),
        class_name="problem editor",
    )


def editor() -> rx.Component:
    return rx.el.div(
        rx.el.p("This is not JSON: Expecting ',' delimiter at line 2, column 3.", role="alert"),
        wrong_line_of(["2", "  ", '"', 'size": 3']),
        switch("json"),
        rx.el.textarea(
            default_value='{"color": "green"\n  "size": 3}', rows="4", aria_label="A JSON object"
        ),
        class_name="problem editor",
    )
