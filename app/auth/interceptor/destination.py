"""Whether a request goes where its URL says."""

from __future__ import annotations

import httpx

_DEFAULT_PORTS = {"http": b":80", "https": b":443"}


def is_diverted(request: httpx.Request) -> bool:
    """Whether something beside the URL names another recipient; such a request gets no token.

    A reverse proxy routes by `Host` (RFC 9110 section 7.2). httpcore puts the extension `target` on
    the request line in place of the path, and checks the certificate against `sni_hostname`.
    """
    return _host_differs(request) or "target" in request.extensions or _name_differs(request)


def _host_differs(request: httpx.Request) -> bool:
    hosts = [value for name, value in request.headers.raw if name.lower() == b"host"]
    netloc = request.url.netloc
    return hosts != [netloc] and any(_differs(host, netloc, request.url) for host in hosts)


def _differs(host: bytes, netloc: bytes, url: httpx.URL) -> bool:
    """Whether a `Host` names another recipient; the default port may be written out."""
    with_port = netloc + _DEFAULT_PORTS.get(url.scheme, b"") if url.port is None else netloc
    return host.strip().lower() not in {netloc.lower(), with_port.lower()}


def _name_differs(request: httpx.Request) -> bool:
    name = request.extensions.get("sni_hostname")
    if isinstance(name, bytes):
        name = name.decode("ascii", errors="replace")
    return name is not None and name.lower() != request.url.raw_host.decode("ascii").lower()
