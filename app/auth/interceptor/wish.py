"""What a single request asks of the interceptor, in its `auth` extension."""

from __future__ import annotations

from typing import Literal

import httpx

from .allowed_route import TokenOptions

Wish = Literal["skip"] | TokenOptions | None


def wish_of(request: httpx.Request) -> Wish:
    """`extensions={"auth": "skip"}` asks for no token, `TokenOptions` for another than the entry's.

    Neither makes the allowed list any wider.

    Raises:
        TypeError: it is something else.
    """
    wish = request.extensions.get("auth")
    if wish is None or wish == "skip" or isinstance(wish, TokenOptions):
        return wish
    raise TypeError(
        f'The extension "auth" is a {type(wish).__name__}; it is "skip" or a TokenOptions.'
    )
