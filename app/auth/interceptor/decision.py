"""The decision about one hop: whether it carries a token, which one, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

import httpx

from .allowed_list import AllowedList
from .allowed_route import ANY_PROVIDER, AllowedRoute, TokenOptions
from .redirects import Hop

_DEFAULT_OPTIONS = TokenOptions()
_DEFAULT_PORTS = {"http": b":80", "https": b":443"}


class Decision(NamedTuple):
    """`route` is the entry that covers the request; `options` the token to attach, if any.

    `reason` is a stable code: `attached`, `skipped`, `own_authorization`, `diverted`, `excepted`
    or `not_on_list`.
    """

    route: AllowedRoute | None
    options: TokenOptions | None
    reason: str

    @property
    def is_allowed(self) -> bool:
        """Whether an entry allows the request to carry a token."""
        return self.route is not None and self.route.attach


def decide(allowed_list: AllowedList, request: httpx.Request, hop: Hop) -> Decision:
    """Decide about the URL that will be sent.

    Raises:
        TypeError: the request's `auth` extension is neither `"skip"` nor a `TokenOptions`.
    """
    requested = request_options(request)
    if has_host_override(request, hop):
        return Decision(None, None, "diverted")
    route = allowed_list.find(request.method, request.url)
    if route is None:
        return Decision(None, None, "not_on_list")
    if not route.attach:
        return Decision(route, None, "excepted")
    if hop.own_authorization:
        return Decision(route, None, "own_authorization")
    if requested == "skip":
        return Decision(route, None, "skipped")
    return Decision(route, _options(requested, route.token_options), "attached")


def _options(requested: TokenOptions | None, of_entry: TokenOptions | None) -> TokenOptions:
    """The token that a request gets. Where the entry names a provider, its API is sent the tokens
    of no other one, whatever a single request asks for."""
    if requested is None or of_entry is None or of_entry.provider in (None, ANY_PROVIDER):
        return requested or of_entry or _DEFAULT_OPTIONS
    return replace(requested, provider=of_entry.provider)


def request_options(request: httpx.Request) -> Literal["skip"] | TokenOptions | None:
    """What a single request asks for in its `auth` extension.

    `extensions={"auth": "skip"}` asks for no token, `TokenOptions` for another than the entry's,
    of the entry's provider. Neither widens the allowed list.

    Raises:
        TypeError: it is something else.
    """
    options = request.extensions.get("auth")
    if options is None or options == "skip" or isinstance(options, TokenOptions):
        return options
    raise TypeError(
        f'The extension "auth" is a {type(options).__name__}; it is "skip" or a TokenOptions.'
    )


def has_host_override(request: httpx.Request, hop: Hop) -> bool:
    """Whether something beside the URL names another recipient; such a request gets no token.

    A reverse proxy routes by `Host` (RFC 9110 section 7.2). httpcore puts the extension `target` on
    the request line in place of the path, and checks the certificate against `sni_hostname`.
    """
    if "target" in request.extensions or _has_other_sni(request):
        return True
    return hop.hosts != [hop.netloc] and any(
        _is_other_host(host, request.url) for host in hop.hosts
    )


def _is_other_host(host: bytes, url: httpx.URL) -> bool:
    """Whether a `Host` names another recipient than `url`; it may have the default port in it."""
    netloc = url.netloc
    with_port = netloc + _DEFAULT_PORTS.get(url.scheme, b"") if url.port is None else netloc
    return host.strip().lower() not in {netloc.lower(), with_port.lower()}


def _has_other_sni(request: httpx.Request) -> bool:
    name = request.extensions.get("sni_hostname")
    if isinstance(name, bytes):
        name = name.decode("ascii", errors="replace")
    return name is not None and name.lower() != request.url.raw_host.decode("ascii").lower()
