"""Everything the auth layer raises.

AuthError                         code
 ├─ ConfigError                   config_error           fix the configuration and restart
 ├─ LoginLinkError                invalid_login_link     the link asks for what this app never uses
 ├─ CallbackError                 (per case)             this login attempt is over: log in again
 │   ├─ TransactionError          invalid_state          unknown, expired or already used `state`
 │   ├─ AuthorizationError        the provider's error   it refused (access_denied, ...)
 │   └─ IdTokenError              invalid_id_token       the ID token did not pass a check
 ├─ LoginRequired                 login_required         nobody is logged in: offer `login_url`
 │   ├─ ConsentRequired           consent_required       somebody is, but has to allow more
 │   └─ SessionEnded              session_ended          there was a session; the provider ended it
 ├─ ProviderError                 provider_error         the provider answered something unusable
 │   ├─ ProviderUnavailable       provider_unavailable   the provider did not answer: try again
 │   └─ TokenEndpointError        the provider's error   RFC 6749 section 5.2
 └─ StoreUnavailable              store_unavailable      sessions cannot be read now: try again

No message ever holds a token, a code, a secret or the provider's own text; that text is kept apart,
in `error_description`, for the log.
"""

from __future__ import annotations

from collections.abc import Iterable


class AuthError(Exception):
    """The base of the tree.

    `code` is stable and safe to show or to put into a URL. `error` and `error_description` are the
    OAuth 2.0 parameters of the same names (RFC 6749 section 4.1.2.1) where the provider sent them.
    """

    code: str = "auth_error"
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
        self.error = error
        self.error_description = error_description


class ConfigError(AuthError):
    """One or more settings are missing or wrong; `problems` has one sentence for each."""

    code = "config_error"

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class LoginLinkError(AuthError):
    """A link to `/auth/login` names an audience or a scope that this app has no use for."""

    code = "invalid_login_link"


class CallbackError(AuthError):
    """The login attempt failed and left no session; starting again is always possible."""

    code = "invalid_callback"


class TransactionError(CallbackError):
    """`state` is missing, belongs to no login of this browser, has expired or was used before."""

    code = "invalid_state"


class AuthorizationError(CallbackError):
    """The provider answered the authorization request with an error (RFC 6749 section 4.1.2.1)."""

    code = "authorization_error"


class IdTokenError(CallbackError):
    """The ID token failed a check of OpenID Connect Core section 3.1.3.7."""

    code = "invalid_id_token"


class LoginRequired(AuthError):
    """An action needs a signed-in user and there is none.

    `audience` and `scope` (space-separated) are what the request needed and the session lacks, None
    for the app's default. `login_url` is the link that asks for exactly these and comes back to the
    page; None where no page is known.
    """

    code = "login_required"

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


class SessionEnded(LoginRequired):
    """The provider no longer honours the session's refresh token (`invalid_grant`)."""

    code = "session_ended"


class ProviderError(AuthError):
    """The provider's answer is malformed, too large, or contradicts the configuration."""

    code = "provider_error"


class ProviderUnavailable(ProviderError):
    """No usable answer: refused, timed out, or a 5xx. The session is untouched."""

    code = "provider_unavailable"
    retryable = True


class TokenEndpointError(ProviderError):
    """The token endpoint refused the grant (RFC 6749 section 5.2); `error` says why."""

    code = "token_endpoint_error"


class StoreUnavailable(AuthError):
    """The session store cannot be read or written. Cookies and sessions are untouched."""

    code = "store_unavailable"
    retryable = True
