"""Error responses: RFC 6750 section 3."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

REALM = "external"


class Refusal(Exception):
    """The request is refused. `error` is None if it has no token. `dpop` are further headers of an
    answer that asks for DPoP; None: it asks for a Bearer token."""

    def __init__(
        self,
        status: int,
        error: str | None,
        description: str,
        *,
        scope: str | None = None,
        dpop: dict[str, str] | None = None,
    ) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.scope = scope
        self.dpop = dpop

    def response(self) -> Response:
        """The response: the challenge as a header, and the error as JSON."""
        body = {"error": self.error or "unauthorized", "error_description": self.description}
        if self.scope:
            body["scope"] = self.scope
        headers = {"Cache-Control": "no-store", **(self.dpop or {})}
        if self.status == 503:
            headers["Retry-After"] = "5"
        else:
            headers["WWW-Authenticate"] = self._challenge()
        return JSONResponse(body, self.status, headers=headers)

    def _challenge(self) -> str:
        parameters = {"realm": REALM, "error": self.error, "scope": self.scope}
        if self.error:
            parameters["error_description"] = self.description
        given = (f'{name}="{value}"' for name, value in parameters.items() if value)
        return f"{'Bearer' if self.dpop is None else 'DPoP'} {', '.join(given)}"


def invalid_token(description: str) -> Refusal:
    """A refusal (401) of this token; the client may try another one."""
    return Refusal(401, "invalid_token", description)
