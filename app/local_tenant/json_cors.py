"""CORS (Fetch standard) whose answers to preflight requests are for programs."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response


class JsonCORS(CORSMiddleware):
    """Answers 204 without a body to a preflight request that is allowed, and JSON to another."""

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        headers = {
            name: value
            for name, value in answer.headers.items()
            if name not in ("content-length", "content-type")
        }
        if answer.status_code < 400:
            return Response(status_code=204, headers=headers)
        body = {
            "statusCode": answer.status_code,
            "error": "Bad Request",
            "message": bytes(answer.body).decode(),
        }
        return JSONResponse(body, answer.status_code, headers=headers)
