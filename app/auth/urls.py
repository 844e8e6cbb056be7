"""URLs of the configuration and of the provider: origin, loopback host, query, validity."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from urllib.parse import SplitResult, urlencode, urlsplit

_BASE_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9_~.-]+)*/?")


def origin_of(url: str) -> str:
    """The origin of an absolute URL (RFC 6454): scheme, host, and a non-default port."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    default = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def path_of_url(url: str) -> str:
    """The path of an absolute URL without a slash at its end: empty for an origin."""
    return urlsplit(url).path.rstrip("/")


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """The URL with these parameters, after those that it has already."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address literal is this machine (RFC 8252 section 7.3)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def url_problem(text: str) -> str | None:
    """What is wrong with a configured http(s) URL, as the end of a sentence; None if valid."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return "is not a URL."
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "is not a domain or an http(s) URL."
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return (
            "uses http:// on a host that is not this machine; tokens would travel unprotected. "
            "Use https://."
        )
    return _problem_with_parts(parts)


def base_url_problem(url: str) -> str | None:
    """What is wrong with the URL of an app, which may have a path; None if it is valid."""
    problem = url_problem(url)
    if problem is None and not _BASE_PATH.fullmatch(urlsplit(url).path):
        return (
            "has a path that is not made of letters, digits and any of _ ~ . - between slashes; "
            "write it as in https://app.example.com/shop."
        )
    return problem


def base_urls_problems(
    app_base_url: str, app_api_url: str, more_base_urls: Collection[str]
) -> list[str]:
    """What is wrong with further base URLs of one deployment, a sentence for each problem.

    Links then have no host, and cookies the name of one port: the base URLs differ in their hosts
    only, and pages and backend have one origin.
    """
    if not more_base_urls:
        return []
    problems = []
    if app_api_url != app_base_url:
        problems.append(
            "With several base URLs, pages and backend have one origin, and not "
            f"{app_base_url} and {app_api_url}: leave APP_API_URL unset, and use a production run."
        )
    first = urlsplit(app_base_url)
    for url in (app_base_url, *more_base_urls):
        if problem := url_problem(url):
            problems.append(f"The base URL {url} {problem}")
        elif path_of_url(url):
            problems.append(f"The base URL {url} has a path; one of several can have none.")
        elif (urlsplit(url).scheme, urlsplit(url).port) != (first.scheme, first.port):
            problems.append(f"The base URL {url} has another scheme or port than {app_base_url}.")
    hosts = [urlsplit(url).hostname for url in (app_base_url, *more_base_urls)]
    if len(set(hosts)) != len(hosts):
        problems.append("The same host is in two base URLs.")
    return problems


def logout_url_problem(url: str) -> str | None:
    """What is wrong with a URL that a logout may lead to, which may have a path and a query; None
    if it is valid."""
    if not url.isascii() or any(character <= " " or character == "\x7f" for character in url):
        return "may have only ASCII characters and no white space."
    return url_problem(url.partition("?")[0])


def _problem_with_parts(parts: SplitResult) -> str | None:
    if parts.username is not None or parts.query or parts.fragment or "\\" in parts.geturl():
        return "may have no user name, query, fragment or backslash."
    return None
