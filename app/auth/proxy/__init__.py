"""Same-origin routes that forward a browser's requests to an API, with the user's access token."""

from .middleware import PROOF_HEADERS, Proxies
from .route import ProxyRoute, proxy_route

__all__ = ["PROOF_HEADERS", "Proxies", "ProxyRoute", "proxy_route"]
