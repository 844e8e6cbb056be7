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
        any_of,
        authenticated_within,
        claim,
        has_role,
        has_scope,
        member_of,
        verified_email,
    )
    from .access.policy import Check, Principal
    from .audit import AuditEvent, AuditHook, JsonLinesAuditLog, OpenTelemetryAuditLog
    from .config import AuthConfig, AuthorizationParams
    from .errors import (
        AuthError,
        AuthorizationError,
        CallbackError,
        ConfigError,
        ConsentRequired,
        IdTokenError,
        LoginLinkError,
        LoginRequired,
        ProviderError,
        ProviderUnavailable,
        SessionEnded,
        StoreUnavailable,
        TokenEndpointError,
        TransactionError,
    )
    from .flows.devices import Device
    from .interceptor import (
        AccessTokenTransport,
        AllowedList,
        AllowedRoute,
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
        MemorySessionStore,
        RedisSessionStore,
        Sealer,
        SessionStore,
        SQLiteSessionStore,
    )
    from .texts import AuthTexts
    from .toolchain import use_packaged_toolchain

# Twice: type checkers need the imports above, and this table serves `__getattr__`.
_MODULES = {
    "audit": ("AuditEvent", "AuditHook", "JsonLinesAuditLog", "OpenTelemetryAuditLog"),
    "config": ("AuthConfig", "AuthorizationParams"),
    "access.policy": ("Check", "Principal"),
    "access.checks": (
        "any_of",
        "authenticated_within",
        "claim",
        "has_role",
        "has_scope",
        "member_of",
        "verified_email",
    ),
    "flows.devices": ("Device",),
    "limits": ("Limits",),
    "local_tenant": ("local_tenant_environ",),
    "errors": (
        "AuthError",
        "AuthorizationError",
        "CallbackError",
        "ConfigError",
        "ConsentRequired",
        "IdTokenError",
        "LoginLinkError",
        "LoginRequired",
        "ProviderError",
        "ProviderUnavailable",
        "SessionEnded",
        "StoreUnavailable",
        "TokenEndpointError",
        "TransactionError",
    ),
    "interceptor": (
        "AccessTokenTransport",
        "AllowedList",
        "AllowedRoute",
        "HttpInterceptorConfig",
        "RequestEvent",
        "TokenOptions",
    ),
    "service": ("AuthService",),
    "session": (
        "MemorySessionStore",
        "RedisSessionStore",
        "SQLiteSessionStore",
        "Sealer",
        "SessionStore",
    ),
    "reflex.pages": ("AuthPages",),
    "reflex.plugin": ("Plugin",),
    "reflex.state": ("AuthState", "UserScopedState"),
    "texts": ("AuthTexts",),
    "toolchain": ("use_packaged_toolchain",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AccessTokenTransport",
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
    "CallbackError",
    "Check",
    "ConfigError",
    "ConsentRequired",
    "Device",
    "HttpInterceptorConfig",
    "IdTokenError",
    "JsonLinesAuditLog",
    "Limits",
    "LoginLinkError",
    "LoginRequired",
    "MemorySessionStore",
    "OpenTelemetryAuditLog",
    "Plugin",
    "Principal",
    "ProviderError",
    "ProviderUnavailable",
    "RedisSessionStore",
    "RequestEvent",
    "SQLiteSessionStore",
    "Sealer",
    "SessionEnded",
    "SessionStore",
    "StoreUnavailable",
    "TokenEndpointError",
    "TokenOptions",
    "TransactionError",
    "UserScopedState",
    "any_of",
    "authenticated_within",
    "claim",
    "has_role",
    "has_scope",
    "local_tenant_environ",
    "member_of",
    "use_packaged_toolchain",
    "verified_email",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
