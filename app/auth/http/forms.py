"""Reads one field of a small form that another server posts."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request

from ..errors import AuthError

MAXIMUM_BODY = 96 * 1024
_FORM = "application/x-www-form-urlencoded"


async def posted_field(request: Request, name: str, *, error: type[AuthError]) -> str:
    """Return the field's value.

    Raises:
        `error`: the body is not a form, exceeds 96 KiB, or does not have the field exactly once.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise error("The body is not a form.")
    # Not `request.form()`: the body is read up to the limit only.
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAXIMUM_BODY:
            raise error("The form is larger than 96 KiB.")
    try:
        values = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=20).get(
            name, []
        )
    except ValueError:
        raise error("The form cannot be read.") from None
    if len(values) != 1:
        raise error(f"The form does not have {name} exactly once.")
    return values[0]
