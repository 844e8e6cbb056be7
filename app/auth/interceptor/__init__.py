"""Attaches the user's access token to the requests on the allowed list, and to no other."""

from .allowed_list import AllowedList, Explanation
from .allowed_route import ANY_PROVIDER, AllowedRoute, HttpInterceptorConfig, TokenOptions
from .certificates import CertifiedPools
from .client import build_client
from .connection_pool import ConnectionPool, build_pool
from .events import Observer, RequestEvent
from .observers import OpenTelemetry, audit_requests, is_log_enabled, log_request
from .retry import RetryPolicy
from .transport import AccessTokenTransport
from .validation import check_providers

__all__ = [
    "ANY_PROVIDER",
    "AccessTokenTransport",
    "AllowedList",
    "AllowedRoute",
    "CertifiedPools",
    "ConnectionPool",
    "Explanation",
    "HttpInterceptorConfig",
    "Observer",
    "OpenTelemetry",
    "RequestEvent",
    "RetryPolicy",
    "TokenOptions",
    "audit_requests",
    "build_client",
    "build_pool",
    "check_providers",
    "is_log_enabled",
    "log_request",
]
