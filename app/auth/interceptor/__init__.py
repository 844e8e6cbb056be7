"""Attaches the user's access token to the requests on the allowed list, and to no other."""

from .allowed_list import AllowedList
from .allowed_route import AllowedRoute, HttpInterceptorConfig, TokenOptions

__all__ = [
    "AllowedList",
    "AllowedRoute",
    "HttpInterceptorConfig",
    "TokenOptions",
]
