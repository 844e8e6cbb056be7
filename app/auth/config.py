"""The configuration of the auth layer, checked as a whole and frozen."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from .client_certificate import CERTIFICATE_METHODS, ClientCertificate
from .environ import EnvironReader
from .errors import ConfigError
from .generated_secret import generated_secret
from .lifetimes import Lifetimes
from .signing_key import SIGNATURE_ALGORITHMS
from .urls import (
    base_urls_problems,
    is_loopback,
    logout_url_problem,
    origin_of,
    path_of_url,
)

logger = logging.getLogger(__name__)

DEFAULT_SCOPE = "openid profile email offline_access"
DEFAULT_APP_BASE_URL = "http://localhost:3000"

# What a login link may set; nothing else passes. OpenID Connect Core section 3.1.2.1, and Auth0's.
LOGIN_PARAMETERS = frozenset(
    {"acr_values", "connection", "display", "invitation", "login_hint", "max_age", "organization"}
    | {"prompt", "screen_hint", "ui_locales"}
)

DEFAULT_ERROR_PATH = "/error"
DEFAULT_LOGIN_PATH = "/login"
DEFAULT_CLAIMS_MAX_AGE = 600  # seconds
DEFAULT_DATA_DIR = ".data"

_PROVIDER = {
    "AUTH0_DOMAIN": "the tenant's domain, such as example.eu.auth0.com",
    "AUTH0_CLIENT_ID": "the application's Client ID",
    "AUTH0_CLIENT_SECRET": "the application's Client Secret",
}
_REQUIRED = {
    **_PROVIDER,
    "AUTH0_SECRET": "32 random bytes that seal what is stored: openssl rand -hex 32",
}
PRODUCTION_MODES = ("prod", "preview")  # values of REFLEX_ENV_MODE, which `reflex run` sets
_PROVIDER_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_METHODS_WITHOUT_SECRET = ("private_key_jwt", "none", *CERTIFICATE_METHODS)
_AUTH_METHODS = ("client_secret_basic", "client_secret_post", *_METHODS_WITHOUT_SECRET)
MANAGEMENT_API = "{domain}/api/v2/"
_NO_AUDIENCE = "none"  # for a provider without that parameter, whatever the app's default is


@dataclass(frozen=True, slots=True)
class AuthorizationParams:
    """What every login asks for: the identifier of an API (`audience`) and a space-separated
    `scope`. Without an audience, the provider's default applies.

    `{domain}` in the audience stands for the provider's URL, so that
    `{domain}/api/v2/` names the Management API of the configured tenant.

    A login link may set the `link_parameters`. It may ask for any further scope, or only for those
    of `optional_scope` if that is set. Every login sends the `fixed_parameters`, such as
    `(("organization", "org_1"),)`, and no link changes them.
    """

    audience: str | None = None
    scope: str = DEFAULT_SCOPE
    optional_scope: str | None = None
    link_parameters: frozenset[str] = LOGIN_PARAMETERS
    fixed_parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ClientAuthenticationConfig:
    """How this client authenticates at the provider (RFC 7591 section 2).

    `token_endpoint_auth_method` is `client_secret_basic`, `client_secret_post`, `private_key_jwt`
    (with `signing_key`, a private key as PEM or JWK), `tls_client_auth` or
    `self_signed_tls_client_auth` (RFC 8705, with `certificate`), or `none` (a public client, with
    PKCE alone). None uses the one of the first two that the provider announces.

    With a `certificate`, the provider's endpoints get it whatever the method is, so that access
    tokens can be bound to it.
    """

    token_endpoint_auth_method: str | None = None
    signing_key: str | None = field(default=None, repr=False)
    certificate: ClientCertificate | None = None


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """Everything the auth layer needs to know. URLs have no trailing slash.

    - `domain`: the provider's URL, such as `https://example.eu.auth0.com`.
    - `client_id`, `client_secret`: those of this client (RFC 6749 section 2.3.1). The secret is
      empty if the client authenticates without one.
    - `authorization_params`: what every login asks for.
    - `client_authentication`: how this client authenticates at the token endpoint.
    - `app_base_url`: the URL of the start page; `app_api_url`: the URL below which the backend has
      `/auth/`. Both may have a path, such as `https://example.com/shop`.
    - `redis_url`: the Redis of an app that runs on several machines; None on one.
    - `issuer_identifier`: the provider's issuer, if it is not `domain` with a slash at the end.
    - `secrets`: encrypt what is stored, newest first. `from_environ` always finds one.
    - `unset_origins`: which of `APP_BASE_URL` and `APP_API_URL` are not set. `AuthService` takes
      them from Reflex's own configuration when `reflex run` starts the app.
    - `more_base_urls`: further origins of the same deployment, each for all of the app. A login
      returns to the one that it began at, and a session is of one of them.
    - `error_path`: the page that a failed login leads to (`errorPath` of the Angular SDK).
    - `provider`: the name of this provider, where `AuthService` has several. It sets the name.
    - `provider_title`: what the login page calls this provider, if not by its name.
    - `login_path`: the page that lists the providers, where there are several.
    - `is_fallback`: no provider was configured, and the `fallback` of `from_environ` was used.
    - `multi_resource_refresh_tokens`: one refresh token obtains access tokens for several audiences
      (Auth0's term).
    - `rotation_overlap`: seconds after its first use in which the provider accepts a refresh token
      again (Auth0's term).
    - `claims_max_age`: seconds. If a refresh brings no ID token, UserInfo is asked for the user's
      claims, but not more often than this. 0: never.
    - `pushed_authorization_requests`: push them (RFC 9126) if the provider supports it. If it
      requires it, they are always pushed.
    - `id_token_signed_response_alg`: the one accepted algorithm. None accepts what discovery
      announces.
    - `trusted_audiences`: accepted beside this client in an ID token's `aud`.
    - `trusted_proxies`: the number of our own proxies in front of the backend, each of which
      appends to `X-Forwarded-For`.
    - `session_lifetimes`: how long sessions last. Give them to the store, which ends the sessions:
      `SQLiteSessionStore(file, sealer, lifetimes=config.session_lifetimes)`.
    - `show_error_description`: the page for login problems shows the provider's own sentence about
      a login that it refused (`error_description`, RFC 6749 section 4.1.2.1), as text of one line.
    - `logout_urls`: absolute URLs to which a logout may lead, beside the paths of this app. They
      have to match exactly.
    - `dpop`: access tokens are bound to a key of the session (RFC 9449), unless an entry of the
      allowed list says otherwise (`TokenOptions.dpop`).

    Raises:
        ConfigError: one of the `logout_urls` is not an http(s) URL, `provider` is not a name such
            as `work`, or the `more_base_urls` do not go with `app_base_url` and `app_api_url`.
    """

    domain: str
    client_id: str
    client_secret: str = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    authorization_params: AuthorizationParams = AuthorizationParams()
    client_authentication: ClientAuthenticationConfig = ClientAuthenticationConfig()
    app_base_url: str = DEFAULT_APP_BASE_URL
    app_api_url: str = DEFAULT_APP_BASE_URL
    unset_origins: frozenset[str] = frozenset()
    error_path: str = DEFAULT_ERROR_PATH
    redis_url: str | None = field(default=None, repr=False)
    is_fallback: bool = False
    multi_resource_refresh_tokens: bool = False
    rotation_overlap: float = 0.0
    claims_max_age: float = DEFAULT_CLAIMS_MAX_AGE
    issuer_identifier: str | None = None
    pushed_authorization_requests: bool = False
    id_token_signed_response_alg: str | None = None
    trusted_audiences: tuple[str, ...] = ()
    trusted_proxies: int = 0
    session_lifetimes: Lifetimes = field(default_factory=Lifetimes)
    logout_urls: tuple[str, ...] = ()
    more_base_urls: tuple[str, ...] = ()
    provider: str = ""
    provider_title: str = ""
    login_path: str = DEFAULT_LOGIN_PATH
    show_error_description: bool = False
    dpop: bool = False

    def __post_init__(self) -> None:
        """Check what may come from the app's code. Raises `ConfigError`."""
        found = {url: logout_url_problem(url) for url in self.logout_urls}
        problems = [f"logout_urls: {url} {problem}" for url, problem in found.items() if problem]
        if self.provider and not _PROVIDER_NAME.fullmatch(self.provider):
            problems.append(
                f'The provider name "{self.provider}" is in a URL: write lower-case letters, '
                "digits and hyphens, at most 32, such as work."
            )
        problems += base_urls_problems(self.app_base_url, self.app_api_url, self.more_base_urls)
        if problems:
            raise ConfigError(problems)

    @property
    def issuer(self) -> str:
        """The issuer identifier, exactly as discovery and ID tokens must spell it.

        For a domain without a path that is Auth0's spelling, with a slash at the end.
        """
        if self.issuer_identifier:
            return self.issuer_identifier
        return self.domain if urlsplit(self.domain).path else f"{self.domain}/"

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends the browser back to (RFC 6749 section 3.1.2)."""
        return f"{self.app_api_url}{self.callback_path}"

    @property
    def callback_path(self) -> str:
        """The path of the `redirect_uri`, below that of the backend. Several providers have one
        each, so that the answer of one is not taken for that of another (RFC 9700 section 4.4.2).
        """
        return f"/auth/callback/{self.provider}" if self.provider else "/auth/callback"

    @property
    def post_logout_redirect_uri(self) -> str:
        """Where the provider sends the browser after a logout with a `return_to` (RP-Initiated
        Logout 1.0 section 2): one URI for every path."""
        return f"{self.app_api_url}/auth/logged-out"

    @property
    def origins(self) -> frozenset[str]:
        """The app's own origins; only these may use its routes and its websocket."""
        urls = (self.app_base_url, self.app_api_url, *self.more_base_urls)
        return frozenset(origin_of(url) for url in urls)

    @property
    def base_urls(self) -> tuple[str, ...]:
        """All base URLs, the first one first."""
        return (self.app_base_url, *self.more_base_urls)

    @property
    def is_one_origin(self) -> bool:
        """Whether pages and backend have the same origin: all but most development runs."""
        return origin_of(self.app_base_url) == self.api_origin

    @property
    def page_prefix(self) -> str:
        """What stands before a page's path in a link: the base URL, or nothing where there are
        several, since a browser stays at its own."""
        return "" if self.more_base_urls else self.app_base_url

    @property
    def api_prefix(self) -> str:
        """The same for a path of the backend."""
        return "" if self.more_base_urls else self.app_api_url

    def at_host(self, host: str | None) -> AuthConfig:
        """Return the configuration for a request with this `Host` header: with the base URL that
        has this host, or the first one."""
        for url in self.more_base_urls:
            # As browsers write it: in lower case, and without a default port.
            if host is not None and origin_of(url).partition("://")[2] == host.lower():
                return replace(self, app_base_url=url, app_api_url=url, more_base_urls=())
        return self

    @property
    def home_url(self) -> str:
        """The URL of the start page, where a logout ends: an origin, or a URL with a path and a
        slash at its end."""
        return f"{self.app_base_url}/" if self.base_path else self.app_base_url

    @property
    def base_path(self) -> str:
        """The path below which the pages are (`frontend_path` of `rx.Config`); empty for none."""
        return path_of_url(self.app_base_url)

    @property
    def api_origin(self) -> str:
        """The origin of the backend (`api_url` of `rx.Config`)."""
        return origin_of(self.app_api_url)

    @property
    def api_path(self) -> str:
        """The path below which the backend is (`backend_path` of `rx.Config`); empty for none."""
        return path_of_url(self.app_api_url)

    @property
    def is_https(self) -> bool:
        """Whether cookies can be Secure and carry the `__Host-` prefix."""
        return self.app_api_url.startswith("https://")

    @classmethod
    def from_environ(
        cls,
        environ: Mapping[str, str],
        *,
        authorization_params: AuthorizationParams | None = None,
        fallback: Mapping[str, str] | None = None,
        error_path: str = DEFAULT_ERROR_PATH,
        provider: str = "",
    ) -> AuthConfig:
        """Read the variables that `.env.example` lists.

        With a `provider`, such as "work", the variables of the provider begin with its name in
        capitals: `WORK_AUTH0_DOMAIN` or `WORK_OIDC_ISSUER`. Those of the app stay as they are.

        `authorization_params` are the defaults of `AUTH0_AUDIENCE` and `AUTH0_SCOPE`. `fallback`
        are variables of a provider to use if none of `AUTH0_DOMAIN`, `AUTH0_CLIENT_ID` and
        `AUTH0_CLIENT_SECRET` is set. With it, `AUTH0_SECRET` is optional: if it is not set, a
        secret is generated once and kept in the file `secret` of the folder `APP_DATA_DIR`
        (default `.data`). A production run (`reflex run --env prod`) does not take the fallback.

        Raises:
            ConfigError: variables are missing or wrong; `problems` names every one of them. Or a
                production run has no provider.
        """
        reader = EnvironReader(environ, provider=provider)
        is_fallback = fallback is not None and not reader.has_any(_PROVIDER)
        if is_fallback and reader.text("REFLEX_ENV_MODE") in PRODUCTION_MODES:
            raise ConfigError(
                "A production run needs a login provider: set AUTH0_DOMAIN, AUTH0_CLIENT_ID, "
                "AUTH0_CLIENT_SECRET and AUTH0_SECRET (or OIDC_ISSUER and so on). The local tenant "
                "is for development only."
            )
        reader.fall_back(fallback if fallback is not None and is_fallback else {})
        authentication = _client_authentication(reader)
        _require_credentials(reader, authentication, is_fallback=is_fallback)
        domain = reader.domain("AUTH0_DOMAIN")
        app_base_url, more_base_urls = reader.base_urls(DEFAULT_APP_BASE_URL)
        app_api_url = reader.base_url("APP_API_URL", app_base_url)
        config = cls(
            domain=domain,
            client_id=reader.text("AUTH0_CLIENT_ID") or "",
            client_secret=reader.text("AUTH0_CLIENT_SECRET") or "",
            secrets=reader.secrets("AUTH0_SECRET"),
            authorization_params=_authorization_params(
                reader, authorization_params or AuthorizationParams(), domain
            ),
            client_authentication=authentication,
            app_base_url=app_base_url,
            app_api_url=app_api_url,
            unset_origins=reader.unset_origins(),
            error_path=reader.page_path("error_path", error_path),
            redis_url=reader.redis_url("REDIS_URL"),
            is_fallback=is_fallback,
            multi_resource_refresh_tokens=reader.switch("AUTH0_MULTI_RESOURCE_REFRESH"),
            rotation_overlap=reader.whole_number("AUTH0_ROTATION_OVERLAP", "number of seconds"),
            claims_max_age=reader.whole_number(
                "AUTH0_CLAIMS_MAX_AGE", "number of seconds", default=DEFAULT_CLAIMS_MAX_AGE
            ),
            issuer_identifier=reader.issuer("AUTH0_ISSUER"),
            pushed_authorization_requests=reader.switch("AUTH0_PUSHED_AUTHORIZATION_REQUESTS"),
            id_token_signed_response_alg=reader.one_of(
                "AUTH0_ID_TOKEN_SIGNED_RESPONSE_ALG", SIGNATURE_ALGORITHMS
            ),
            trusted_audiences=reader.texts("AUTH0_TRUSTED_AUDIENCES"),
            trusted_proxies=reader.whole_number("APP_TRUSTED_PROXIES", "number"),
            session_lifetimes=reader.lifetimes("APP_SESSION_IDLE", "APP_SESSION_ABSOLUTE"),
            logout_urls=reader.logout_urls("APP_LOGOUT_URLS"),
            more_base_urls=more_base_urls,
            provider=provider,
            provider_title=reader.text("AUTH0_TITLE") or "",
            show_error_description=reader.switch("APP_SHOW_ERROR_DESCRIPTION"),
            dpop=reader.switch("AUTH0_DPOP"),
        )
        reader.check()
        return config if config.secrets else replace(config, secrets=_generated(reader))


def _generated(reader: EnvironReader) -> tuple[str, ...]:
    """The secret of this machine, for development with the fallback provider."""
    return (generated_secret(Path(reader.text("APP_DATA_DIR") or DEFAULT_DATA_DIR) / "secret"),)


def _require_credentials(
    reader: EnvironReader, authentication: ClientAuthenticationConfig, *, is_fallback: bool
) -> None:
    optional = {"AUTH0_SECRET"} if is_fallback else set()
    if authentication.token_endpoint_auth_method in _METHODS_WITHOUT_SECRET:
        optional.add("AUTH0_CLIENT_SECRET")
    reader.require({name: what for name, what in _REQUIRED.items() if name not in optional})


def _client_authentication(reader: EnvironReader) -> ClientAuthenticationConfig:
    method = reader.one_of("AUTH0_TOKEN_ENDPOINT_AUTH_METHOD", _AUTH_METHODS)
    name = "AUTH0_CLIENT_ASSERTION_SIGNING_KEY"
    key = reader.signing_key(name) if method == "private_key_jwt" else reader.text(name)
    certificate = reader.text("AUTH0_CLIENT_CERTIFICATE")
    if method in CERTIFICATE_METHODS:
        reader.require({"AUTH0_CLIENT_CERTIFICATE": f"the PEM file that {method} needs"})
    key_file = reader.text("AUTH0_CLIENT_CERTIFICATE_KEY")
    return ClientAuthenticationConfig(
        method, key, ClientCertificate(certificate, key_file) if certificate else None
    )


def _authorization_params(
    reader: EnvironReader, defaults: AuthorizationParams, domain: str
) -> AuthorizationParams:
    audience = reader.text("AUTH0_AUDIENCE") or defaults.audience
    if audience == _NO_AUDIENCE:
        audience = None
    if audience == MANAGEMENT_API and _may_be_custom(domain):
        logger.warning(
            "The audience %sapi/v2/ is made from AUTH0_DOMAIN. Auth0 knows its Management API by "
            "the tenant's own name only: if this is a custom domain of Auth0, set "
            "AUTH0_AUDIENCE=https://TENANT.REGION.auth0.com/api/v2/.",
            domain.rstrip("/") + "/",
        )
    return replace(
        defaults,
        audience=audience.replace("{domain}", domain) if audience else audience,
        scope=reader.scope("AUTH0_SCOPE", defaults.scope),
    )


def _may_be_custom(domain: str) -> bool:
    """Whether this is neither a tenant's own name at Auth0 nor a provider on this machine."""
    host = urlsplit(domain).hostname or ""
    return bool(host) and not host.endswith(".auth0.com") and not is_loopback(host)
