"""Errors in Auth0's envelope."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any


class ApiError(Exception):
    """An answer other than success: `statusCode`, `error`, `message`, and `errorCode` if known."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body = envelope(status, message, code)
        if status == 401:
            self.body["attributes"] = {"error": message}


def envelope(status: int, message: str, code: str | None = None) -> dict[str, Any]:
    """The body of an error."""
    body: dict[str, Any] = {
        "statusCode": status,
        "error": HTTPStatus(status).phrase,
        "message": message,
    }
    return {**body, "errorCode": code} if code else body


def invalid_body(detail: str) -> ApiError:
    """A body that does not fit."""
    return ApiError(400, f"Payload validation error: {detail}.", "invalid_body")


def no_user() -> ApiError:
    """An unknown user."""
    return ApiError(404, "The user does not exist.", "inexistent_user")
