"""The start-up check of one `uri`: what is wrong with it, and how to write it instead."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx

from .odd_path import has_dot_segment
from .odd_url import OddURLError
from .pattern import pattern_target

_PARTS = re.compile(
    r"(?:(?P<scheme>[^:/?#]*):)?(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)"
    r"(?P<query>\?[^#]*)?(?P<fragment>#.*)?",
    re.DOTALL,
)


def pattern_problems(uri: str, base_url: httpx.URL | None) -> list[str]:
    """One sentence part for each problem; empty when the entry is sound."""
    if not uri.strip():
        return ["is empty; write a URL such as 'https://api.example.com/v1/*', or leave it out"]
    problems = list(_visible_problems(uri, base_url is not None))
    return problems or list(_target_problems(uri, base_url))


def _visible_problems(uri: str, has_base: bool) -> Iterator[str]:
    parts = _PARTS.fullmatch(uri.removesuffix("*"))
    if parts is None:  # pragma: no cover - the expression matches every string
        return
    scheme, authority = parts["scheme"], parts["authority"]
    yield from _start_problems(uri, scheme, authority, has_base)
    if authority is not None:
        ends_in_star = uri.endswith("*") and not parts["path"]
        yield from _authority_problems(authority, ends_in_star)
    if "*" in parts["path"]:
        yield "has a '*' that is not its last character; end the entry with one '*', as in '/v1/*'"
    if parts["query"] is not None:
        yield "has a query, which is never compared; write the URL up to the '?'"
    if parts["fragment"] is not None:
        yield "has a fragment, which is never sent; write the URL up to the '#'"
    if has_dot_segment(parts["path"]):
        yield "has a '.' or '..' segment; write the path that it leads to"


def _start_problems(
    uri: str, scheme: str | None, authority: str | None, has_base: bool
) -> Iterator[str]:
    if scheme is None and authority is None and uri.startswith("/"):
        if not has_base:
            yield "is a path without a base_url; set base_url, or write the whole URL"
    elif "*" in (scheme or ""):
        yield "has a '*' in its scheme; write 'https://'"
    elif (scheme or "").lower() not in {"http", "https"}:
        yield "does not start with 'https://'; write the whole URL, as in 'https://api.example.com/*'"
    elif authority is None:
        yield "has no '//' after its scheme; write 'https://' and the host"


def _authority_problems(authority: str, ends_in_star: bool) -> Iterator[str]:
    _, at, place = authority.rpartition("@")
    if at:
        yield "has userinfo before its host, to be sent as Basic credentials; leave that out"
    host, colon, port = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    if not colon:
        host, port = place, ""
    if "*" in host or (ends_in_star and not host):
        yield "has a '*' in its host; name each host in full, as in 'https://api.example.com/*'"
    if "*" in port or (ends_in_star and colon and not port):
        yield "has a '*' in its port; name each port, or leave it out for the default one"


def _target_problems(uri: str, base_url: httpx.URL | None) -> Iterator[str]:
    try:
        target = pattern_target(uri, base_url)
    except OddURLError as odd:
        yield f"can never match, because it {odd} and no such URL gets a token; write it plainly"
        return
    if not target.is_confidential:
        yield (
            "is plain http on a host that is not loopback, where others can read the token;"
            " write 'https://' (http is for localhost, 127.0.0.0/8 and ::1)"
        )
