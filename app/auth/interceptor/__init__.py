"""Attaches the user's access token to the requests on the allowed list, and to no other."""

from .allowed_list import AllowedList
from .allowed_route import AllowedRoute, HttpInterceptorConfig, TokenOptions
from .client import build_client
from .observation import all_of
from .pool import build_pool
from .request_log import is_log_open, log_request
from .request_record import request_record
from .telemetry import OpenTelemetry
from .transport import AccessTokenTransport

__all__ = [
    "AccessTokenTransport",
    "AllowedList",
    "AllowedRoute",
    "HttpInterceptorConfig",
    "OpenTelemetry",
    "TokenOptions",
    "all_of",
    "build_client",
    "build_pool",
    "is_log_open",
    "log_request",
    "request_record",
]
