"""Auth0's `/dbconnections/signup` and `/dbconnections/change_password`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from ..guesses import WITHIN
from ..schema import Invalid, Schema, check
from ..seed_format import EMAIL, METADATA, PROFILE, text
from ..server import NO_STORE, TenantServer
from ..strict_json import parse_json
from ..users import CONNECTION, find_user
from .creation import TOO_MANY, SignUpError, send_reset, sign_up

_SENT = "We've just sent you an email to reset your password."
_SIGN_UP: Schema = {
    "type": "object",
    "properties": {
        "client_id": text(64),
        "email": EMAIL,
        "password": text(1000),
        "connection": text(100),
        "user_metadata": METADATA,
        **PROFILE,
    },
    "required": ["client_id", "email", "password", "connection"],
}
_CHANGE: Schema = {
    "type": "object",
    "properties": {"client_id": text(64), "email": EMAIL, "connection": text(100)},
    "required": ["email", "connection"],
}


class DatabaseConnection:
    """The two endpoints. They take JSON or a form, and no credentials."""

    def __init__(self, server: TenantServer) -> None:
        self._server = server

    async def sign_up(self, request: Request) -> Response:
        """Create an account. Which addresses have one is not told."""
        return await _answered(request, _SIGN_UP, self._sign_up)

    async def change_password(self, request: Request) -> Response:
        """Send a link for a new password, if there is such an account."""
        return await _answered(request, _CHANGE, self._change_password)

    def _sign_up(self, body: dict[str, Any], address: str) -> Response:
        self._check(body, needs_client=True)
        user = sign_up(
            self._server,
            body["email"],
            body["password"],
            profile={name: body[name] for name in PROFILE if name in body},
            user_metadata=body.get("user_metadata"),
            client_id=body["client_id"],
            ip=address,
        )
        profile = {name: user.profile[name] for name in PROFILE if name in body}
        document = {"_id": user.user_id.partition("|")[2], "email_verified": False, **profile}
        document["email"] = user.email
        if user.user_metadata is not None:
            document["user_metadata"] = user.user_metadata
        return JSONResponse(document, headers=NO_STORE)

    def _change_password(self, body: dict[str, Any], address: str) -> Response:
        self._check(body, needs_client=False)
        with self._server.database.transaction() as database:
            user = find_user(database, email=body["email"])
        if user is not None:
            send_reset(self._server, user)
        return PlainTextResponse(_SENT, headers=NO_STORE)

    def _check(self, body: dict[str, Any], *, needs_client: bool) -> None:
        client_id = body.get("client_id")
        if (needs_client or client_id) and client_id not in self._server.clients:
            raise SignUpError("invalid_client", f"Unknown client: {client_id}")
        if body["connection"] != CONNECTION:
            raise SignUpError("invalid_connection", "The connection does not exist.")


async def _answered(
    request: Request, schema: Schema, handle: Callable[[dict[str, Any], str], Response]
) -> Response:
    try:
        body = await _body(request)
        check(body, schema)
        address = request.client.host if request.client else ""
        return await run_in_threadpool(handle, body, address)
    except Invalid as problem:
        where = f" ({problem.path})" if problem.place else ""
        return _refused("invalid_request", f"{problem.text}{where}")
    except SignUpError as error:
        return _refused(error.code, str(error))


async def _body(request: Request) -> Any:
    content = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True))
    if kind != "application/json":
        raise Invalid("The body has to be JSON or a form")
    try:
        return parse_json(content)
    except ValueError as error:
        raise Invalid(f"The body is not JSON: {error}") from error


def _refused(code: str, text_: str) -> Response:
    if code == TOO_MANY:
        error = {"error": code, "error_description": "Global limit has been reached"}
        headers = {**NO_STORE, "Retry-After": str(int(WITHIN))}
        return JSONResponse({"statusCode": 429, **error}, 429, headers=headers)
    is_weak = code == "invalid_password"
    body: dict[str, Any] = {
        "name": "PasswordStrengthError" if is_weak else "BadRequestError",
        "code": code,
        "description": "Invalid sign up" if code == "invalid_signup" else text_,
        "statusCode": 400,
    }
    if is_weak:
        body["message"] = "Password is too weak"
    return JSONResponse(body, 400, headers=NO_STORE)
