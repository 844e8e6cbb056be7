"""Reads small forms: of this app, or of another server."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

from ..errors import AuthError

MAXIMUM_BODY = 96 * 1024
_FORM = "application/x-www-form-urlencoded"


async def posted_field(request: Request, name: str, *, error: type[AuthError]) -> str:
    """Return the field's value.

    Raises:
        `error`: the body is not a form, exceeds 96 KiB, is cut off, or does not have the field
            exactly once.
    """
    fields = await posted_fields(request, error=error)
    if name not in fields:
        raise error(f"The form does not have {name} exactly once.")
    return fields[name]


async def posted_fields(request: Request, *, error: type[AuthError]) -> dict[str, str]:
    """Return the fields that the form has exactly once, but for empty ones.

    Raises:
        `error`: the body is not a form, exceeds 96 KiB, or is cut off.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise error("The body is not a form.")
    # Not `request.form()`: the body is read up to the limit only.
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAXIMUM_BODY:
                raise error("The form is larger than 96 KiB.")
    except ClientDisconnect:
        raise error("The form is cut off.") from None
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=20)
    except ValueError:
        raise error("The form cannot be read.") from None
    return {name: values[0] for name, values in fields.items() if len(values) == 1}
