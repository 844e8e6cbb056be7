"""Reading the environment: every problem is reported at once."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from app.auth import (
    AuthConfig,
    AuthorizationParams,
    AuthService,
    ConfigError,
    Lifetimes,
    MemorySessionStore,
    Sealer,
)
from app.auth.environ import NEUTRAL_NAMES

from ...servers import ROOT

PUBLIC_KEY = ECKey.generate_key("P-256").as_pem(private=False).decode()
GOOD = {
    "AUTH0_DOMAIN": "tenant.eu.auth0.com",
    "AUTH0_CLIENT_ID": "client",
    "AUTH0_CLIENT_SECRET": "client-secret-value",
    "AUTH0_SECRET": "s" * 32,
}
FALLBACK = {
    "AUTH0_DOMAIN": "fallback.example",
    "AUTH0_CLIENT_ID": "fallback",
    "AUTH0_CLIENT_SECRET": "fallback-secret",
}


def test_real_tenant() -> None:
    """Four variables are a whole configuration."""
    config = AuthConfig.from_environ(GOOD)
    assert config.issuer == "https://tenant.eu.auth0.com/"
    assert config.redirect_uri == "http://localhost:3000/auth/callback"
    assert not config.is_fallback
    assert AuthConfig.from_environ(GOOD, fallback=FALLBACK) == config


NEUTRAL = {
    "OIDC_ISSUER": "https://id.example.com/realms/main",
    "OIDC_CLIENT_ID": "client",
    "OIDC_CLIENT_SECRET": "client-secret-value",
    "APP_SECRET": "s" * 32,
}


def test_neutral_names() -> None:
    """For another provider than Auth0, each variable has a neutral name. The issuer is taken as it
    is written."""
    config = AuthConfig.from_environ({**NEUTRAL, "OIDC_SCOPE": "openid email"}, fallback=FALLBACK)
    assert config.domain == config.issuer == "https://id.example.com/realms/main"
    assert (config.client_id, config.client_secret) == ("client", "client-secret-value")
    assert config.secrets == ("s" * 32,)
    assert config.authorization_params.scope == "openid email"
    assert not config.is_fallback
    slash = AuthConfig.from_environ({**NEUTRAL, "OIDC_ISSUER": "https://id.example.com/"})
    assert (slash.domain, slash.issuer) == ("https://id.example.com", "https://id.example.com/")


@pytest.mark.parametrize(("name", "neutral"), NEUTRAL_NAMES.items())
def test_both_names(name: str, neutral: str) -> None:
    """A variable that is set by both of its names is an error that has both."""
    with pytest.raises(ConfigError) as raised:
        AuthConfig.from_environ({**NEUTRAL, name: "one", neutral: NEUTRAL.get(neutral, "two")})
    assert f"{name} and {neutral} are both set; keep one of them." in raised.value.problems


def test_claims_max_age() -> None:
    """Ten minutes unless it is set; 0 turns it off; what is no whole number is a problem."""
    assert AuthConfig.from_environ(NEUTRAL).claims_max_age == 600
    for text, seconds in (("0", 0), ("60", 60)):
        config = AuthConfig.from_environ({**NEUTRAL, "OIDC_CLAIMS_MAX_AGE": text})
        assert config.claims_max_age == seconds
    for text in ("-1", "1.5", "ten"):
        with pytest.raises(ConfigError, match=f"OIDC_CLAIMS_MAX_AGE={text} is not a number of"):
            AuthConfig.from_environ({**NEUTRAL, "OIDC_CLAIMS_MAX_AGE": text})


def test_problems_have_the_neutral_names() -> None:
    """Problems name the variables as they are set, and never those of Auth0 beside neutral ones."""
    with pytest.raises(ConfigError) as raised:
        AuthConfig.from_environ({"OIDC_ISSUER": "id.example.com", "APP_SECRET": "short"})
    assert "AUTH0_" not in str(raised.value)
    for name in ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "APP_SECRET"):
        assert name in str(raised.value)


def test_fallback(tmp_path: Path) -> None:
    """With no provider set, the fallback is the provider; other variables still count."""
    data = {"APP_DATA_DIR": str(tmp_path)}
    environ = {"AUTH0_DOMAIN": " ", "AUTH0_SCOPE": "openid", **data}
    config = AuthConfig.from_environ(environ, fallback=FALLBACK)
    assert config.issuer == "https://fallback.example/"
    assert config.client_id == "fallback"
    assert config.authorization_params.scope == "openid"
    assert config.is_fallback
    own = AuthConfig.from_environ(
        {"AUTH0_MULTI_RESOURCE_REFRESH": "0", **data},
        fallback={**FALLBACK, "AUTH0_MULTI_RESOURCE_REFRESH": "1"},
    )
    assert not own.multi_resource_refresh_tokens


@pytest.mark.parametrize("secret", [{}, {"AUTH0_SECRET": "s" * 32}])
@pytest.mark.parametrize("mode", ["prod", "preview"])
def test_no_fallback_in_production(tmp_path: Path, mode: str, secret: dict[str, str]) -> None:
    """A production run without a provider does not start, and no secret is generated for it."""
    environ = {"REFLEX_ENV_MODE": mode, "APP_DATA_DIR": str(tmp_path / "data"), **secret}
    with pytest.raises(ConfigError, match="A production run needs a login provider"):
        AuthConfig.from_environ(environ, fallback=FALLBACK)
    assert not (tmp_path / "data").exists()


def test_damaged_secret(tmp_path: Path) -> None:
    """A secret file without a secret stops the start, and the error names the file."""
    (tmp_path / "secret").touch()
    with pytest.raises(ConfigError, match=str(tmp_path / "secret")):
        AuthConfig.from_environ({"APP_DATA_DIR": str(tmp_path)}, fallback=FALLBACK)


def test_secret_of_the_fallback(tmp_path: Path) -> None:
    """With the fallback, the secret is `AUTH0_SECRET`, or one that is generated once and kept. To
    set the secret alone does not take the fallback away."""
    environ = {"APP_DATA_DIR": str(tmp_path / "data")}
    (generated,) = AuthConfig.from_environ(environ, fallback=FALLBACK).secrets
    assert len(generated) == 64
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o777 == 0o600
    assert AuthConfig.from_environ(environ, fallback=FALLBACK).secrets == (generated,)
    own = AuthConfig.from_environ({**environ, "AUTH0_SECRET": "s" * 32}, fallback=FALLBACK)
    assert own.secrets == ("s" * 32,)
    assert own.is_fallback


def test_secret_without_a_provider() -> None:
    """Without a fallback, a secret alone is no configuration: the other three are missing."""
    with pytest.raises(ConfigError) as caught:
        AuthConfig.from_environ({"AUTH0_SECRET": "s" * 32})
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("path", ["error", "/", "/auth", "/auth/error", "/a?b", "//x.example", ""])
def test_error_path(path: str) -> None:
    """The page for login problems is a page of the app, and nothing else."""
    with pytest.raises(ConfigError, match="error_path"):
        AuthConfig.from_environ(GOOD, error_path=path)
    assert AuthConfig.from_environ(GOOD, error_path="/login/problem").error_path


def test_nothing_set() -> None:
    """Without a fallback, each of the four is reported as missing, beside what is wrong."""
    with pytest.raises(ConfigError) as caught:
        AuthConfig.from_environ({"APP_BASE_URL": "app"})
    assert len(caught.value.problems) == 5
    for name in (*GOOD, "APP_BASE_URL"):
        assert name in str(caught.value)


@pytest.mark.parametrize("present", sorted(GOOD.keys() - {"AUTH0_SECRET"}))
def test_half_a_configuration(present: str) -> None:
    """With a part of a provider set, the rest is missing; the fallback does not fill it in."""
    with pytest.raises(ConfigError) as caught:
        AuthConfig.from_environ({present: GOOD[present]}, fallback=FALLBACK)
    assert len(caught.value.problems) == 3
    for name in GOOD.keys() - {present}:
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("AUTH0_DOMAIN", "http://tenant.example", "https://"),
        ("AUTH0_DOMAIN", "http://localhost.evil.example", "https://"),
        ("AUTH0_DOMAIN", "ftp://tenant.example", "http(s)"),
        ("AUTH0_DOMAIN", "https://user@tenant.example", "user name"),
        ("AUTH0_DOMAIN", "https://tenant.example:port", "not a URL"),
        ("AUTH0_SECRET", "short", "openssl rand"),
        ("AUTH0_SECRET", "s" * 32 + ",short", "openssl rand"),
        ("AUTH0_SCOPE", "profile", "openid"),
        ("APP_BASE_URL", "http://app.example.com", "https://"),
        ("APP_BASE_URL", "https://app.example.com/a/../b", "has a path"),
        ("APP_API_URL", "app.example.com", "http(s)"),
        ("AUTH0_ISSUER", "http://id.example.com", "https://"),
        ("AUTH0_ISSUER", "id.example.com", "http(s)"),
        ("AUTH0_TOKEN_ENDPOINT_AUTH_METHOD", "client_secret_jwt", "private_key_jwt"),
        ("AUTH0_ID_TOKEN_SIGNED_RESPONSE_ALG", "HS256", "RS256"),
        ("AUTH0_PUSHED_AUTHORIZATION_REQUESTS", "maybe", "1 (on)"),
    ],
)
def test_bad_value(name: str, value: str, says: str) -> None:
    """A value that cannot work is named, with what to write instead."""
    with pytest.raises(ConfigError) as caught:
        AuthConfig.from_environ({**GOOD, name: value})
    assert name in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize("host", ["localhost:9", "127.0.0.1:9", "127.8.8.8", "[::1]:9"])
def test_loopback(host: str) -> None:
    """Plain http is for this machine."""
    assert AuthConfig.from_environ({**GOOD, "AUTH0_DOMAIN": f"http://{host}"}).issuer


def test_issuer_letter_by_letter() -> None:
    """Where it is set, the issuer is what is written, with its slash or without."""
    for issuer in ("https://id.example.com", "https://id.example.com/", "https://id.example/a/"):
        assert AuthConfig.from_environ({**GOOD, "AUTH0_ISSUER": issuer}).issuer == issuer


@pytest.mark.parametrize("method", ["none", "private_key_jwt"])
def test_client_without_a_secret(method: str) -> None:
    """A client that authenticates in another way needs none."""
    environ = {
        **GOOD,
        "AUTH0_CLIENT_SECRET": "",
        "AUTH0_TOKEN_ENDPOINT_AUTH_METHOD": method,
        "AUTH0_CLIENT_ASSERTION_SIGNING_KEY": json.dumps(
            ECKey.generate_key("P-256").as_dict(private=True)
        ),
    }
    authentication = AuthConfig.from_environ(environ).client_authentication
    assert authentication.token_endpoint_auth_method == method


@pytest.mark.parametrize("key", ["", "text", "{}", '{"kty": "RSA"}', PUBLIC_KEY])
def test_no_private_key(key: str) -> None:
    """A key that is missing or not private is reported, and the report does not quote it."""
    environ = {
        **GOOD,
        "AUTH0_TOKEN_ENDPOINT_AUTH_METHOD": "private_key_jwt",
        "AUTH0_CLIENT_ASSERTION_SIGNING_KEY": key,
    }
    with pytest.raises(ConfigError) as caught:
        AuthConfig.from_environ(environ)
    assert len(caught.value.problems) == 1
    assert "AUTH0_CLIENT_ASSERTION_SIGNING_KEY" in str(caught.value)
    assert not key or key not in str(caught.value)


def test_audience_of_the_domain() -> None:
    """{domain} in an audience is the configured provider."""
    params = AuthorizationParams("{domain}/api/v2/")
    config = AuthConfig.from_environ(GOOD, authorization_params=params)
    assert config.authorization_params.audience == "https://tenant.eu.auth0.com/api/v2/"
    own = {**GOOD, "AUTH0_AUDIENCE": "https://api"}
    config = AuthConfig.from_environ(own, authorization_params=params)
    assert config.authorization_params.audience == "https://api"
    none = {**GOOD, "AUTH0_AUDIENCE": "none"}
    assert not AuthConfig.from_environ(
        none, authorization_params=params
    ).authorization_params.audience


@pytest.mark.parametrize(
    ("domain", "own", "is_warned"),
    [
        ("login.example.com", "", True),
        ("login.example.com", "https://tenant.eu.auth0.com/api/v2/", False),
        ("tenant.eu.auth0.com", "", False),
        ("http://127.0.0.1:4400", "", False),
    ],
)
def test_custom_domain(
    caplog: pytest.LogCaptureFixture, domain: str, own: str, is_warned: bool
) -> None:
    """The start warns that a custom domain of Auth0 gives no name to its Management API."""
    environ = {**GOOD, "AUTH0_DOMAIN": domain} | ({"AUTH0_AUDIENCE": own} if own else {})
    AuthConfig.from_environ(environ, authorization_params=AuthorizationParams("{domain}/api/v2/"))
    assert ("set AUTH0_AUDIENCE" in caplog.text) is is_warned


def test_rotating_secret() -> None:
    """Several secrets are kept in order, newest first."""
    both = f"{'n' * 32}, {'o' * 32}"
    assert AuthConfig.from_environ({**GOOD, "AUTH0_SECRET": both}).secrets == ("n" * 32, "o" * 32)


def test_repr() -> None:
    """A printed configuration shows no secret."""
    text = repr(AuthConfig.from_environ(GOOD))
    assert "client-secret-value" not in text
    assert "s" * 32 not in text


def test_import_without_reflex() -> None:
    """The configuration and the allow-list work alone, without Reflex and without this app."""
    code = (
        "import sys; from app.auth import AuthConfig, AllowedList, AuthError;"
        "AllowedList(['https://api.example.com/*']);"
        "sys.exit('reflex' in sys.modules or 'app.config' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize(
    ("idle", "absolute", "lifetimes"),
    [
        ("", "", Lifetimes()),
        ("3600", "", Lifetimes(idle=3600.0)),
        ("3600", "28800", Lifetimes(idle=3600.0, absolute=28800.0)),
        ("", "28800", Lifetimes(idle=28800.0, absolute=28800.0)),
    ],
)
def test_session_lifetimes(idle: str, absolute: str, lifetimes: Lifetimes) -> None:
    """The environment says how long sessions last; a shorter whole life shortens the idle one."""
    environ = {**GOOD, "APP_SESSION_IDLE": idle, "APP_SESSION_ABSOLUTE": absolute}
    assert AuthConfig.from_environ(environ).session_lifetimes == lifetimes


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"APP_SESSION_IDLE": "soon"}, "APP_SESSION_IDLE=soon is not a number of seconds"),
        ({"APP_SESSION_IDLE": "59"}, "APP_SESSION_IDLE=59 is not a number of seconds, 60 or more"),
        ({"APP_SESSION_ABSOLUTE": "-1"}, "APP_SESSION_ABSOLUTE=-1 is not a number of seconds"),
        ({"APP_SESSION_ABSOLUTE": "9" * 30}, "is not a number of seconds"),
        (
            {"APP_SESSION_IDLE": "7200", "APP_SESSION_ABSOLUTE": "3600"},
            "APP_SESSION_IDLE=7200 exceeds APP_SESSION_ABSOLUTE=3600",
        ),
        ({"APP_LOGOUT_URLS": "/bye"}, "APP_LOGOUT_URLS=/bye is not a domain or an http"),
        ({"APP_LOGOUT_URLS": "javascript:alert(1)"}, "APP_LOGOUT_URLS=javascript:alert(1) is not"),
        ({"APP_LOGOUT_URLS": "http://example.com/"}, "uses http:// on a host that is not"),
        ({"APP_LOGOUT_URLS": "https://a@example.com/"}, "may have no user name"),
        ({"APP_LOGOUT_URLS": "https://example.com/\\x"}, "backslash"),
        ({"APP_LOGOUT_URLS": "https://example.com/x y"}, "no white space"),
    ],
)
def test_bad_session_settings(variables: dict[str, str], problem: str) -> None:
    """A lifetime or a logout URL that cannot work is reported, together with what else is wrong."""
    with pytest.raises(ConfigError) as raised:
        AuthConfig.from_environ({**GOOD, "AUTH0_SECRET": "short", **variables})
    assert problem in str(raised.value)
    assert "too short" in str(raised.value)


def test_logout_urls() -> None:
    """The allowed logout URLs come from the environment, or from code, where they are checked."""
    environ = {**GOOD, "APP_LOGOUT_URLS": "https://example.com/bye?x=1, https://other.example"}
    config = AuthConfig.from_environ(environ)
    assert config.logout_urls == ("https://example.com/bye?x=1", "https://other.example")
    with pytest.raises(ConfigError, match="logout_urls: //evil"):
        replace(config, logout_urls=("//evil.example",))


def test_lifetimes_that_do_not_reach_the_store() -> None:
    """Lifetimes that are configured but not given to the store stop the start; a store that has its
    own, without any in the configuration, does not."""
    sealer = Sealer(("s" * 32,))
    config = AuthConfig.from_environ({**GOOD, "APP_SESSION_IDLE": "3600"})
    with pytest.raises(ConfigError, match=r"lifetimes=config\.session_lifetimes"):
        AuthService(config, MemorySessionStore(sealer))
    lifetimes = config.session_lifetimes
    AuthService(config, MemorySessionStore(sealer, lifetimes=lifetimes))
    AuthService(AuthConfig.from_environ(GOOD), MemorySessionStore(sealer, lifetimes=lifetimes))
