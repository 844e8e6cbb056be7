"""The configurations of an app's login providers, taken together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .config import AuthConfig
from .errors import ConfigError

# What belongs to the app, and not to one of its providers.
_OF_APP = (
    *("secrets", "app_base_url", "app_api_url", "unset_origins", "more_base_urls", "error_path"),
    *("login_path", "redis_url", "trusted_proxies", "session_lifetimes", "logout_urls"),
    "show_error_description",
)


def configs_of(
    config: AuthConfig | None, providers: Mapping[str, AuthConfig] | None
) -> list[AuthConfig]:
    """Return the configurations of an app's providers: a single one, or several by their names.

    Raises:
        ConfigError: two providers are one issuer, or differ in what belongs to the app.
        TypeError: not exactly one of the two is given, or `providers` is empty.
    """
    if (config is None) == (not providers):
        raise TypeError("AuthService takes either a config or providers.")
    if config is not None:
        return [replace(config, provider="")]
    configs = [replace(each, provider=name) for name, each in (providers or {}).items()]
    first, *others = configs
    problems = [
        f"The providers {first.provider} and {each.provider} differ in {name}, which is the app's. "
        "Give all of them the same."
        for each in others
        for name in _OF_APP
        if getattr(each, name) != getattr(first, name)
    ]
    issuers = [each.issuer for each in configs]
    problems += [
        f"Two providers have the issuer {issuer}: an answer could not be told from the other's."
        for issuer in dict.fromkeys(issuers)
        if issuers.count(issuer) > 1
    ]
    if problems:
        raise ConfigError(problems)
    return configs
