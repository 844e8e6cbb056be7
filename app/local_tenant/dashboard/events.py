"""Logs, the mailbox, and faults on demand."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..event_log import TYPES
from ..faults import AT_ONCE, ENDPOINTS, LASTING
from ..mailbox import all_mails, delete_mails
from ..management.errors import envelope
from ..schema import Invalid
from ..server import NO_STORE, TenantServer
from ..strict_json import parse_json
from ..users import all_users
from .view import Handler, View, field, link, section, select, table

_SHOWN = 200  # entries
_FAILED = ("f", "limit", "gd_auth_failed", "noconsent")


def logs(view: View) -> Response:
    """What happened, the newest first. A script brings what is new."""
    chosen = view.request.query_params.get("show", "")
    with view.server.database.transaction() as database:
        emails = {user.user_id: user.email for user in all_users(database)}
    entries = [
        each
        for each in view.server.log.entries()
        if chosen != "failed" or _is_failure(each["type"])
    ][:_SHOWN]
    rows = (
        (
            f"<time>{escape(each['date'][:19].replace('T', ' '))}</time>",
            _type(each["type"]),
            escape(each["description"]),
            _user(emails, each.get("user_id")),
            f"<code>{escape(str(each.get('client_id', '-')))}</code>",
        )
        for each in entries[:_SHOWN]
    )
    heads = ("Time (UTC)", "What", "Details", "User", "Application")
    choices = (
        f'<p class="choices"><a href="/dashboard/logs"{_current(not chosen)}>Everything</a> '
        f'<a href="/dashboard/logs?show=failed"{_current(bool(chosen))}>Refusals</a> '
        '<label class="check"><input type="checkbox" id="live" checked> Live</label></p>'
    )
    listed = f'<div id="entries">{table(heads, rows, "Nothing has happened yet.")}</div>'
    return view.page("logs", "Logs", choices + listed + view.button("clear", "Empty the log"))


def clear_logs(view: View) -> Response:
    """Empty the log."""
    with view.server.database.transaction() as database:
        database.execute("DELETE FROM logs")
    return view.saved("/logs")


def mailbox(view: View) -> Response:
    """What would have been sent by e-mail."""
    mails = "".join(
        f"<article><h2>{escape(mail.subject)}</h2><p>To {escape(mail.recipient)}, "
        f"<time>{escape(mail.sent_at[:19].replace('T', ' '))}</time></p>"
        f"<p>{escape(mail.body)}</p>"
        + (
            f'<p><a href="{escape(mail.link, quote=True)}">{escape(mail.subject)} for '
            f"{escape(mail.recipient)}</a></p>"
            if mail.link
            else ""
        )
        + "</article>"
        for mail in all_mails(view.server.database)
    )
    body = mails or "<p>No mail yet. This tenant sends no e-mail: its mails come here.</p>"
    if mails:
        body += view.button("clear", "Empty the mailbox")
    return view.page("mailbox", "Mailbox", body)


def clear_mailbox(view: View) -> Response:
    """Empty the mailbox."""
    delete_mails(view.server.database)
    return view.saved("/mailbox")


def faults(view: View) -> Response:
    """The faults that last, and a form for a new one."""
    return _faults(view)


def change_faults(view: View) -> Response:
    """Begin a fault, or end one or all."""
    server, action = view.server, view.text("action")
    if action == "end-all":
        server.faults.remove()
        return view.saved("/faults")
    if action == "end":
        number = view.text("fault")[:18]
        if number.isdecimal():
            server.faults.remove(int(number))
        return view.saved("/faults")
    wanted = {"kind": view.text("kind"), "endpoint": view.text("endpoint") or "*"}
    try:
        numbers = {
            name: float(view.text(name)) if name == "seconds" else int(view.text(name))
            for name in ("seconds", "times")
            if view.text(name)
        }
        request = {**wanted, **numbers, "value": view.text("value")}
        server.faults.add(request, server.database, server.signer)
    except Invalid as problem:
        return _faults(view, problem=f"Not begun: {problem.text}.")
    except ValueError:
        return _faults(view, problem="Not begun: seconds and requests are numbers.")
    server.log.record("fault", f"{wanted['kind']} {view.text('value')} at {wanted['endpoint']}")
    return view.saved("/faults")


def _faults(view: View, *, problem: str | None = None) -> Response:
    rows = (
        (
            escape(each["kind"]),
            f"<code>{escape(each['endpoint'])}</code>",
            escape(each["value"]) or "-",
            _rest(each["seconds"], each["times"]),
            view.send(
                f'<input type="hidden" name="fault" value="{each["id"]}">'
                f'<button name="action" value="end" class="quiet" '
                f'aria-label="End {escape(each["kind"])} {each["id"]}">End</button>',
                classes="inline",
            ),
        )
        for each in view.server.faults.running()
    )
    heads = ("Fault", "Endpoint", "Value", "How long", "Change")
    running = table(heads, rows, "Everything works.") + view.button("end-all", "End all faults")
    everything = {**LASTING, **AT_ONCE}
    suggestions = "".join(f'<option value="{escape(each)}">' for each in ENDPOINTS)
    new = view.send(
        select("Fault", "kind", {name: name for name in everything}, view.text("kind"))
        + field("Value", "value", view.text("value"))
        + field(
            *("Endpoint (* for all)", "endpoint", view.text("endpoint") or "*"),
            list="endpoints",
        )
        + f'<datalist id="endpoints">{suggestions}</datalist>'
        + field("Seconds it lasts", "seconds", view.text("seconds"), inputmode="decimal")
        + field("Requests it affects", "times", view.text("times"), inputmode="numeric")
        + '<button name="action" value="begin" data-testid="fault-begin">Begin</button>',
        classes="fields",
    )
    texts = ((f"<code>{name}</code>", escape(text)) for name, text in everything.items())
    meanings = section("What each fault does", table(("Fault", "What it does"), texts, ""))
    body = section("Running", running) + section("New fault", new) + meanings
    return view.page("faults", "Faults", body, problem=problem)


def fault_interface(server: TenantServer) -> list[Route]:
    """`/dashboard/api/faults`, for tests: POST begins a fault, DELETE ends all, GET lists them."""

    def listed(request: Request) -> Response:
        return JSONResponse(server.faults.running(), headers=NO_STORE)

    def ended(request: Request) -> Response:
        server.faults.remove(request.path_params.get("id"))
        return Response(status_code=204)

    async def begun(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind != "application/json":  # what a form of another page cannot send
            return JSONResponse(envelope(415, "Unsupported Media Type"), 415)
        try:
            wanted = parse_json(await request.body())
            add = server.faults.add
            fault = await run_in_threadpool(add, wanted, server.database, server.signer)
        except Invalid as problem:
            where = f" on property {problem.path}" if problem.place else ""
            return JSONResponse(envelope(400, f"{problem.text}{where}"), 400)
        except ValueError as error:
            return JSONResponse(envelope(400, f"This is not JSON: {error}"), 400)
        return JSONResponse({"id": fault.id}, 201)

    path = "/dashboard/api/faults"
    return [
        Route(path, listed, methods=["GET"]),
        Route(path, begun, methods=["POST"]),
        Route(path, ended, methods=["DELETE"]),
        Route(f"{path}/{{id:int}}", ended, methods=["DELETE"]),
    ]


def _user(emails: Mapping[str, str], user_id: str | None) -> str:
    if user_id is not None and user_id in emails:
        return link(emails[user_id], "users", user_id)
    return escape(user_id or "-")


def _type(name: str) -> str:
    state = " bad" if _is_failure(name) else ""
    return f'<span class="badge{state}">{escape(TYPES.get(name, name))}</span>'


def _is_failure(name: str) -> bool:
    return name.startswith(_FAILED) and name != "fault"


def _current(is_so: bool) -> str:
    return ' aria-current="true"' if is_so else ""


def _rest(seconds: float | None, times: int | None) -> str:
    parts = [] if seconds is None else [f"{seconds:.0f} s"]
    parts += [] if times is None else [f"{times} more requests"]
    return " or ".join(parts) or "until it is ended"


PAGES: dict[str, tuple[Handler, Handler]] = {
    "/logs": (logs, clear_logs),
    "/mailbox": (mailbox, clear_mailbox),
    "/faults": (faults, change_faults),
}
