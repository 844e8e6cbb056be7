"""What an authorization request may ask for. An error goes to the client's redirect URI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.errors import RequestURINotSupportedError

from .response_modes import RESPONSE_MODES
from .users import CONNECTION

PROMPTS = frozenset(("none", "login", "consent", "select_account"))
_ONCE = ("nonce", "audience", "prompt", "max_age", "response_mode", "connection", "acr_values")


class AuthorizationChecks:
    """An extension of Authlib's grants: one check for each parameter."""

    def __call__(self, grant: Any) -> None:
        grant.register_hook("after_validate_authorization_request_payload", self.check)

    def check(self, grant: Any, redirect_uri: str) -> None:
        """Raise an `OAuth2Error` for the first parameter that cannot be served."""
        parameters = grant.request.payload.data
        for name in _ONCE:
            if len(grant.request.payload.datalist.get(name, ())) > 1:
                raise InvalidRequestError(f"The parameter {name} occurs twice")
        _check_request_object(parameters)
        _check_response_mode(parameters)
        _check_prompt(parameters)
        _check_max_age(parameters)
        if parameters.get("connection", CONNECTION) != CONNECTION:
            raise InvalidRequestError("the connection was not found")
        grant.server.apis.check(parameters.get("audience"))


class RequiredCodeChallenge(CodeChallenge):  # type: ignore[misc]
    """PKCE with S256 (RFC 7636; RFC 9700 section 2.1.1).

    `for_all` requires it of clients with a secret, too. Auth0 does not.
    """

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def __init__(self, *, for_all: bool) -> None:
        super().__init__()
        self._for_all = for_all

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        request = grant.request
        challenge = request.payload.data.get("code_challenge")
        method = request.payload.data.get("code_challenge_method")
        is_left_out = not challenge and method is None
        may_be_left_out = not (self._for_all or request.client.is_public)
        if is_left_out and may_be_left_out:
            return
        if not challenge or method != "S256":
            raise InvalidRequestError("PKCE with code_challenge_method S256 is required.")
        super().validate_code_challenge(grant, redirect_uri)


def _check_request_object(parameters: Mapping[str, str]) -> None:
    """OpenID Connect Core section 3.1.2.6. What a pushed request or a request object stands for
    has taken its place before."""
    if "request_uri" in parameters:
        raise RequestURINotSupportedError("Only a request_uri of /oauth/par is supported")


def _check_response_mode(parameters: Mapping[str, str]) -> None:
    mode = parameters.get("response_mode")
    if mode is not None and mode not in RESPONSE_MODES:
        raise InvalidRequestError("The response_mode is not supported")
    if mode == "query" and parameters.get("response_type") != "code":
        # A query is kept in histories and logs (OAuth 2.0 Multiple Response Types section 5).
        raise InvalidRequestError("An ID token cannot be returned by response_mode=query")


def _check_prompt(parameters: Mapping[str, str]) -> None:
    prompts = parameters.get("prompt", "").split()
    if not set(prompts) <= PROMPTS:
        raise InvalidRequestError("The prompt is not supported")
    if "none" in prompts and len(prompts) > 1:
        raise InvalidRequestError("prompt=none cannot be combined with other values")


def _check_max_age(parameters: Mapping[str, str]) -> None:
    max_age = parameters.get("max_age", "0")
    if not (max_age.isascii() and max_age.isdecimal() and len(max_age) < 12):
        raise InvalidRequestError("max_age is not a number of seconds")
