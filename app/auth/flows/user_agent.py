"""What a person calls the browser that they logged in with."""

from __future__ import annotations

from ua_parser import parse

_LONGEST = 512  # characters of a User-Agent that are looked at


def client_name(user_agent: str | None) -> tuple[str, str]:
    """Browser and platform of a `User-Agent` (RFC 9110 section 10.1.5), such as `("Firefox",
    "Windows")`; empty where it does not say. Only for showing: anybody can send anything."""
    if not user_agent:
        return "", ""
    result = parse(user_agent[:_LONGEST])
    browser = result.user_agent.family if result.user_agent else ""
    return browser, result.os.family if result.os else ""
