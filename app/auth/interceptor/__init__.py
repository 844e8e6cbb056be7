"""Attaches the user's access token to the requests on the allowed list, and to no other."""

from .allowed_list import AllowedList
from .allowed_route import AllowedRoute, HttpInterceptorConfig, TokenOptions
from .client import build_client
from .connection_pool import build_pool
from .events import Observer, RequestEvent
from .observers import OpenTelemetry, audit_requests, is_log_enabled, log_request
from .retry import RetryPolicy
from .transport import AccessTokenTransport

__all__ = [
    "AccessTokenTransport",
    "AllowedList",
    "AllowedRoute",
    "HttpInterceptorConfig",
    "Observer",
    "OpenTelemetry",
    "RequestEvent",
    "RetryPolicy",
    "TokenOptions",
    "audit_requests",
    "build_client",
    "build_pool",
    "is_log_enabled",
    "log_request",
]
