"""An auth layer for Reflex apps: OpenID Connect login, server-side sessions, an HTTP interceptor.

    auth = AuthService(AuthConfig.from_environ(os.environ), store, http_interceptor=...)
    auth.install(app)

Names are imported on first use, so that configuration and allowed list work without Reflex.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .access.checks import (
        acr,
        any_of,
        authenticated_within,
        claim,
        has_role,
        has_scope,
        logged_in_with,
        member_of,
        second_factor,
        verified_email,
    )
    from .access.policy import Check, Principal
    from .audit import AuditEvent, AuditHook, JsonLinesAuditLog, OpenTelemetryAuditLog
    from .client_certificate import ClientCertificate
    from .config import AuthConfig, AuthorizationParams, ClientAuthenticationConfig
    from .errors import (
        AcrNotMet,
        AuthError,
        AuthorizationError,
        CallbackError,
        ConfigError,
        ConsentRequired,
        HookError,
        IdTokenError,
        LoginLinkError,
        LoginRefused,
        LoginRequired,
        LogoutTokenError,
        MfaRequired,
        ProviderError,
        ProviderRequired,
        ProviderUnavailable,
        SessionEnded,
        StoreUnavailable,
        TokenEndpointError,
        TokenExchangeError,
        TransactionError,
    )
    from .flows.devices import Device
    from .flows.hooks import (
        AfterLogin,
        BeforeLogout,
        BeforeSession,
        Keep,
        LoggedIn,
        LoggingOut,
        PendingSession,
        Refuse,
    )
    from .flows.token_expiry import TokenExpiry
    from .http.requests import RequestSession
    from .interceptor import (
        ANY_PROVIDER,
        AccessTokenTransport,
        AllowedList,
        AllowedRoute,
        ConnectionPool,
        Explanation,
        HttpInterceptorConfig,
        RequestEvent,
        TokenOptions,
    )
    from .limits import Limits
    from .local_tenant import local_tenant_environ
    from .reflex.pages import AuthPages
    from .reflex.plugin import Plugin
    from .reflex.state import AuthState, UserScopedState
    from .service import AuthService
    from .session import (
        Activity,
        Lifetimes,
        MemorySessionStore,
        Sealer,
        SessionStore,
        SQLiteSessionStore,
    )
    from .session.redis_store import RedisSessionStore
    from .texts import AuthTexts
    from .toolchain import use_packaged_toolchain
    from .user import Address, User

# Where the names are. What needs redis or Reflex (which needs redis) comes last.
_MODULES = (
    "errors",
    "texts",
    "toolchain",
    "local_tenant",
    "user",
    "client_certificate",
    "config",
    "limits",
    "interceptor",
    "audit",
    "session",
    "access.policy",
    "access.checks",
    "flows.devices",
    "flows.hooks",
    "flows.token_expiry",
    "http.requests",
    "session.redis_store",
    "reflex.state",
    "reflex.pages",
    "reflex.plugin",
    "service",
)

__all__ = [
    "ANY_PROVIDER",
    "AccessTokenTransport",
    "AcrNotMet",
    "Activity",
    "Address",
    "AfterLogin",
    "AllowedList",
    "AllowedRoute",
    "AuditEvent",
    "AuditHook",
    "AuthConfig",
    "AuthError",
    "AuthPages",
    "AuthService",
    "AuthState",
    "AuthTexts",
    "AuthorizationError",
    "AuthorizationParams",
    "BeforeLogout",
    "BeforeSession",
    "CallbackError",
    "Check",
    "ClientAuthenticationConfig",
    "ClientCertificate",
    "ConfigError",
    "ConnectionPool",
    "ConsentRequired",
    "Device",
    "Explanation",
    "HookError",
    "HttpInterceptorConfig",
    "IdTokenError",
    "JsonLinesAuditLog",
    "Keep",
    "Lifetimes",
    "Limits",
    "LoggedIn",
    "LoggingOut",
    "LoginLinkError",
    "LoginRefused",
    "LoginRequired",
    "LogoutTokenError",
    "MemorySessionStore",
    "MfaRequired",
    "OpenTelemetryAuditLog",
    "PendingSession",
    "Plugin",
    "Principal",
    "ProviderError",
    "ProviderRequired",
    "ProviderUnavailable",
    "RedisSessionStore",
    "Refuse",
    "RequestEvent",
    "RequestSession",
    "SQLiteSessionStore",
    "Sealer",
    "SessionEnded",
    "SessionStore",
    "StoreUnavailable",
    "TokenEndpointError",
    "TokenExchangeError",
    "TokenExpiry",
    "TokenOptions",
    "TransactionError",
    "User",
    "UserScopedState",
    "acr",
    "any_of",
    "authenticated_within",
    "claim",
    "has_role",
    "has_scope",
    "local_tenant_environ",
    "logged_in_with",
    "member_of",
    "second_factor",
    "use_packaged_toolchain",
    "verified_email",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in _MODULES:
            names = vars(import_module(f".{module}", __name__))
            if name in names:
                return names[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
