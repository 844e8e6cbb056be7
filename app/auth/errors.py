"""Everything the auth layer raises.

AuthError                         code                   what the user can do
 ├─ ConfigError                   config_error           nothing: fix the configuration and restart
 ├─ LoginLinkError                invalid_login_link     start again from the app's own pages
 ├─ CallbackError                 (per case)             log in again: this attempt is over
 │   ├─ TransactionError          invalid_state          (unknown, expired or already used `state`)
 │   ├─ AuthorizationError        the provider's error   choose differently (access_denied, ...)
 │   ├─ IdTokenError              invalid_id_token       (the ID token did not pass a check)
 │   │   └─ AcrNotMet             acr_not_met            log in another way: the provider did not
 │   │                                                   do what the login asked for
 │   └─ LoginRefused              the app's own          nothing: `before_session` refused the login
 ├─ LoginRequired                 login_required         log in: `login_url`
 │   ├─ ConsentRequired           consent_required       allow more: `login_url`
 │   ├─ MfaRequired               mfa_required           log in with a second factor: `login_url`
 │   ├─ ProviderRequired          provider_required      log in at another provider: `login_url`
 │   └─ SessionEnded              session_ended          log in again: the provider ended it
 ├─ HookError                     hook_failed            try again, or tell the operator of the app
 ├─ LogoutTokenError              invalid_logout_token   nothing: only the provider sees it
 ├─ ProviderError                 provider_error         tell the operator of the app
 │   ├─ ProviderUnavailable       provider_unavailable   try again in a moment
 │   └─ TokenEndpointError        token_endpoint_error   log in again (RFC 6749 section 5.2)
 │       └─ TokenExchangeError    token_exchange_error   log in again (RFC 8693 section 2.2.2)
 └─ StoreUnavailable              store_unavailable      try again in a moment: nothing is lost

Each error has an `error_id`: eight random hex digits that the user is shown and that the log line
of the same error begins with. No message holds a token, a code, a secret or the provider's text;
that text is in `error_description`, for the log.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

ERROR_ID = re.compile(r"[0-9a-f]{8}")


class AuthError(Exception):
    """The base of the tree.

    `code` is stable. `code` and `error_id` may be shown and put into a URL. `remedy` is a sentence
    that tells the user what to do. `retryable` means that the same request can succeed in a moment.
    `error` and `error_description` are the OAuth 2.0 parameters of the same names (RFC 6749
    section 4.1.2.1); None if the provider sent none. `return_to` is the path that a failed login
    was to lead to, `login_mode` says where it took place (`redirect`, `popup`, `silent`), and
    `provider` is the name of the provider that was asked, if they are known.
    """

    code: str = "auth_error"
    remedy: str = "Start again."
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        error: str | None = None,
        error_description: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.error_id = secrets.token_hex(4)
        self.error = error
        self.error_description = error_description
        self.return_to: str | None = None
        self.login_mode: str | None = None
        self.provider: str = ""


class ConfigError(AuthError):
    """One or more settings are missing or wrong; `problems` has one sentence for each."""

    code = "config_error"
    remedy = "The operator of this app has to correct its configuration."

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class LoginLinkError(AuthError):
    """A link to `/auth/login` is malformed, or asks for something that this app does not allow."""

    code = "invalid_login_link"
    remedy = "Start again from the pages of this app."


class CallbackError(AuthError):
    """The login attempt failed and created no session. The user can start again."""

    code = "invalid_callback"
    remedy = "Log in again."


class TransactionError(CallbackError):
    """`state` is missing, unknown to this browser, expired or already used."""

    code = "invalid_state"


class AuthorizationError(CallbackError):
    """The provider answered the authorization request with an error (RFC 6749 section 4.1.2.1)."""

    code = "authorization_error"
    remedy = "Log in again and choose differently."


class IdTokenError(CallbackError):
    """The ID token failed a check of OpenID Connect Core section 3.1.3.7."""

    code = "invalid_id_token"


class LoginRefused(CallbackError):
    """The app's hook `before_session` refused the login. `code` is the hook's. `reason` is its
    sentence for the user; it is no part of the message, which goes to the log."""

    code = "login_refused"
    remedy = "Ask the operator of this app."

    def __init__(self, reason: str, *, code: str | None = None) -> None:
        super().__init__("The hook before_session refused the login.", code=code)
        self.reason = reason


class HookError(AuthError):
    """A hook of the app (`before_session`, `after_login` or `before_logout`) raised an exception.
    There is no session; the log has the exception after the line with `error_id`."""

    code = "hook_failed"
    remedy = "Try again. If this persists, tell the operator of this app."


class AcrNotMet(IdTokenError):
    """The ID token has none of the `acr_values` that the login link requested (space-separated).

    The provider logged the user in, but in another way. An earlier session stays as it is.
    """

    code = "acr_not_met"
    remedy = "Set up a second factor at the login service, or log in another way."

    def __init__(self, message: str, *, acr_values: str) -> None:
        super().__init__(message)
        self.acr_values = acr_values


class LogoutTokenError(AuthError):
    """A logout token failed a check of OpenID Connect Back-Channel Logout 1.0 section 2.6."""

    code = "invalid_logout_token"
    remedy = "The session continues; the provider has to send a valid logout token."


class LoginRequired(AuthError):
    """An action needs a signed-in user and there is none.

    `audience` and `scope` (space-separated) are what the request needs and the session lacks; None
    stands for the app's default. `login_url` is the link that asks for exactly these and returns
    to the page; None if there is no page to return to.
    """

    code = "login_required"
    remedy = "Log in."

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        error: str | None = None,
        error_description: str | None = None,
        audience: str | None = None,
        scope: str | None = None,
        login_url: str | None = None,
    ) -> None:
        super().__init__(message, code=code, error=error, error_description=error_description)
        self.audience = audience
        self.scope = scope
        self.login_url = login_url


class ConsentRequired(LoginRequired):
    """The signed-in user has not consented to this audience and scope."""

    code = "consent_required"
    remedy = "Allow what is missing."


class MfaRequired(LoginRequired):
    """The provider renews no access token until the user logs in with a second factor (Auth0's
    error `mfa_required`). The session and its tokens are unchanged. `login_url` asks for it."""

    code = "mfa_required"
    remedy = "Log in with a second factor."


class ProviderRequired(LoginRequired):
    """The request needs a token of another provider than that of the session (`provider`).
    `login_url` logs in there, which ends this session."""

    code = "provider_required"
    remedy = "Log in with the account that this needs."

    def __init__(self, message: str, *, provider: str) -> None:
        super().__init__(message)
        self.provider = provider


class SessionEnded(LoginRequired):
    """The provider no longer honours the session's refresh token (`invalid_grant`)."""

    code = "session_ended"
    remedy = "Log in again."


class ProviderError(AuthError):
    """The provider's response is malformed, too large, or contradicts the configuration."""

    code = "provider_error"
    remedy = "Tell the operator of this app."


class ProviderUnavailable(ProviderError):
    """The provider refused the connection, timed out, or answered 429 or 5xx. The session stays."""

    code = "provider_unavailable"
    remedy = "Try again in a moment."
    retryable = True


class TokenEndpointError(ProviderError):
    """The token endpoint refused the grant (RFC 6749 section 5.2); `error` says why."""

    code = "token_endpoint_error"
    remedy = "Log in again."


class TokenExchangeError(TokenEndpointError):
    """The provider issues no token in exchange; `error` says why. The session continues."""

    code = "token_exchange_error"


class StoreUnavailable(AuthError):
    """The session store cannot be read or written. Cookies and sessions stay as they are."""

    code = "store_unavailable"
    remedy = "Try again in a moment. You are still logged in."
    retryable = True
