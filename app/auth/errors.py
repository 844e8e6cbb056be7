"""Everything the auth layer raises.

AuthError                         code                   what the user may do
 ├─ ConfigError                   config_error           nothing: fix the configuration and restart
 ├─ LoginLinkError                invalid_login_link     start again from the app's own pages
 ├─ CallbackError                 (per case)             log in again: this attempt is over
 │   ├─ TransactionError          invalid_state          (unknown, expired or already used `state`)
 │   ├─ AuthorizationError        the provider's error   choose differently (access_denied, ...)
 │   └─ IdTokenError              invalid_id_token       (the ID token did not pass a check)
 ├─ LoginRequired                 login_required         log in: `login_url`
 │   ├─ ConsentRequired           consent_required       allow more: `login_url`
 │   └─ SessionEnded              session_ended          log in again: the provider ended it
 ├─ LogoutTokenError              invalid_logout_token   nothing: the provider is told, no user is
 ├─ ProviderError                 provider_error         tell whoever runs the app
 │   ├─ ProviderUnavailable       provider_unavailable   try again in a moment
 │   └─ TokenEndpointError        token_endpoint_error   log in again (RFC 6749 section 5.2)
 └─ StoreUnavailable              store_unavailable      try again in a moment: nothing is lost

Each error carries a `reference`, random and without meaning: what a person is shown, and what the
log line of the same error begins with. No message ever holds a token, a code, a secret or the
provider's own text; that text is kept apart, in `error_description`, for the log.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable


class AuthError(Exception):
    """The base of the tree.

    `code` is stable and safe to show or to put into a URL, and so is `reference`. `way_on` says
    what the user may do. `retryable` means that the same may work in a moment. `error` and
    `error_description` are the OAuth 2.0 parameters of the same names (RFC 6749 section 4.1.2.1)
    where the provider sent them.
    """

    code: str = "auth_error"
    way_on: str = "Start again."
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
        self.reference = secrets.token_hex(4)
        self.error = error
        self.error_description = error_description


class ConfigError(AuthError):
    """One or more settings are missing or wrong; `problems` has one sentence for each."""

    code = "config_error"
    way_on = "Whoever runs this app has to correct its configuration."

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class LoginLinkError(AuthError):
    """A link to `/auth/login` asks for what this app has no use for, or is not well-formed."""

    code = "invalid_login_link"
    way_on = "Start again from the pages of this app."


class CallbackError(AuthError):
    """The login attempt failed and left no session; starting again is always possible."""

    code = "invalid_callback"
    way_on = "Log in again."


class TransactionError(CallbackError):
    """`state` is missing, belongs to no login of this browser, has expired or was used before."""

    code = "invalid_state"


class AuthorizationError(CallbackError):
    """The provider answered the authorization request with an error (RFC 6749 section 4.1.2.1)."""

    code = "authorization_error"
    way_on = "Log in again and choose differently."


class IdTokenError(CallbackError):
    """The ID token failed a check of OpenID Connect Core section 3.1.3.7."""

    code = "invalid_id_token"


class LogoutTokenError(AuthError):
    """A logout token failed a check of OpenID Connect Back-Channel Logout 1.0 section 2.6."""

    code = "invalid_logout_token"
    way_on = "The session goes on; the provider has to send a correct logout token."


class LoginRequired(AuthError):
    """An action needs a signed-in user and there is none.

    `audience` and `scope` (space-separated) are what the request needed and the session lacks, None
    for the app's default. `login_url` is the link that asks for exactly these and comes back to the
    page; None where no page is known.
    """

    code = "login_required"
    way_on = "Log in."

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
    """Somebody is signed in, but has not allowed this audience and scope yet."""

    code = "consent_required"
    way_on = "Allow what is missing."


class SessionEnded(LoginRequired):
    """The provider no longer honours the session's refresh token (`invalid_grant`)."""

    code = "session_ended"
    way_on = "Log in again."


class ProviderError(AuthError):
    """The provider's answer is malformed, too large, or contradicts the configuration."""

    code = "provider_error"
    way_on = "Tell whoever runs this app."


class ProviderUnavailable(ProviderError):
    """No usable answer: refused, timed out, or a 5xx. The session is untouched."""

    code = "provider_unavailable"
    way_on = "Try again in a moment."
    retryable = True


class TokenEndpointError(ProviderError):
    """The token endpoint refused the grant (RFC 6749 section 5.2); `error` says why."""

    code = "token_endpoint_error"
    way_on = "Log in again."


class StoreUnavailable(AuthError):
    """The session store cannot be read or written. Cookies and sessions are untouched."""

    code = "store_unavailable"
    way_on = "Try again in a moment. You are still logged in."
    retryable = True
