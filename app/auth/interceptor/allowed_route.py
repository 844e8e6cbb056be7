"""What a developer writes: which outgoing requests may carry the user's access token."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..client_certificate import ClientCertificate

ANY_PROVIDER = "*"
"""The provider of the session, whichever it is."""


@dataclass(frozen=True)
class TokenOptions:
    """Which access token a request gets: one for this `audience` (the API's identifier, RFC 8707)
    that has at least this `scope` (space-separated). `None` stands for the configured default.

    `provider` is the name of the one that issues the token, in an app with several login providers,
    or `ANY_PROVIDER` if the API takes the tokens of all of them. `dpop` says whether the token is
    bound to a key of the session (RFC 9449)."""

    audience: str | None = None
    scope: str | None = None
    provider: str | None = field(default=None, kw_only=True)
    dpop: bool | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class AllowedRoute:
    """One entry of the allowed list. Exactly one of `uri` and `uri_matcher` is given.

    `uri`: an absolute http(s) URL, or `/path` relative to the list's `base_url`. A `*` may end it.
    `uri_matcher`: called with the URL as it will be sent (see `AllowedList`); True means a match.
    `http_method`: one method or several, in any case; `None` stands for all.
    `token_options`: the token for these requests; `None` stands for the configured default.
    `allow_anonymous`: send the request without a token when there is no session.
    `attach`: False makes an exception: these requests never carry a token, whatever entry below
    covers them. If the `uri_matcher` of an exception raises, that counts as a match.
    """

    uri: str | None = None
    uri_matcher: Callable[[str], bool] | None = field(default=None, kw_only=True)
    http_method: str | Sequence[str] | None = field(default=None, kw_only=True)
    token_options: TokenOptions | None = field(default=None, kw_only=True)
    allow_anonymous: bool = field(default=False, kw_only=True)
    attach: bool = field(default=True, kw_only=True)


@dataclass(frozen=True)
class HttpInterceptorConfig:
    """Which requests of `auth.http_client` carry the user's access token.

    `allowed_list`: its entries; the first one that covers a request decides. A text stands for
    `AllowedRoute(text)`.
    `base_url`: the absolute URL to which `/path` entries and relative requests are appended.
    `client_certificates`: by origin, the certificate that requests with a token show (RFC 8705).

    `AuthService` checks them when it is created.
    """

    allowed_list: Sequence[str | AllowedRoute] = ()
    base_url: str | None = None
    client_certificates: Mapping[str, ClientCertificate] = field(default_factory=dict)

    def audiences(self, provider: str = "") -> set[str]:
        """The audiences that the allowed list names for this one of several providers."""
        return {option.audience for option in self._options(provider) if option.audience}

    def dpop(self, provider: str = "") -> list[tuple[str | None, bool | None]]:
        """The `audience` and `dpop` of each entry for this one of several providers."""
        return [(option.audience, option.dpop) for option in self._options(provider)]

    def _options(self, provider: str) -> Iterator[TokenOptions]:
        for entry in self.allowed_list:
            options = getattr(entry, "token_options", None)
            if options and options.provider in (None, ANY_PROVIDER, provider):
                yield options
