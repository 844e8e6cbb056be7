"""Attaches the user's access token to the requests on the allowed list, and to no other."""

from .allowed_list import AllowedList
from .allowed_route import AllowedRoute, HttpInterceptorConfig, TokenOptions
from .client import build_client, build_pool
from .transport import AccessTokenTransport

__all__ = [
    "AccessTokenTransport",
    "AllowedList",
    "AllowedRoute",
    "HttpInterceptorConfig",
    "TokenOptions",
    "build_client",
    "build_pool",
]
