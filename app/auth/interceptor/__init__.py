"""Attaches the user's access token to the requests on the allowed list, and to no other."""

from .allowed_list import AllowedList
from .allowed_route import AllowedRoute, HttpInterceptorConfig, TokenOptions
from .client import build_client, build_pool
from .observation import all_of
from .opentelemetry_observer import opentelemetry_observer
from .request_log import is_log_open, log_request
from .request_record import request_record
from .transport import AccessTokenTransport

__all__ = [
    "AccessTokenTransport",
    "AllowedList",
    "AllowedRoute",
    "HttpInterceptorConfig",
    "TokenOptions",
    "all_of",
    "build_client",
    "build_pool",
    "is_log_open",
    "log_request",
    "opentelemetry_observer",
    "request_record",
]
