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
    netloc = request.url.netloc.lower()
    same = {netloc}
    if request.url.port is None:
        same.add(netloc + _DEFAULT_PORTS.get(request.url.scheme, b""))
    return any(
        value.strip().lower() not in same
        for name, value in request.headers.raw
        if name.lower() == b"host"
    )


def _name_differs(request: httpx.Request) -> bool:
    name = request.extensions.get("sni_hostname")
    if isinstance(name, bytes):
        name = name.decode("ascii", errors="replace")
    return name is not None and name.lower() != request.url.raw_host.decode("ascii").lower()
