"""The `uri` of one entry as a thing to look up: an origin, a path, and whether it ends in `*`.

https://api.example.com/v1/me     that path alone, whatever the query
https://api.example.com/v1*       /v1 and everything below it; never /v10
https://api.example.com/v1/*      everything that starts with /v1/; /v1 itself is not below it
https://api.example.com*          everything of that origin; so does https://api.example.com/*
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from .target import Origin, Target, parse_target


@dataclass(frozen=True, slots=True)
class Pattern:
    """`path` is raw. With `wildcard` it covers itself and what is below (see `covering_keys`)."""

    origin: Origin
    path: str
    wildcard: bool


def compile_pattern(uri: str, base_url: httpx.URL | None) -> Pattern:
    """`uri` must have passed `pattern_problems`; raises `OddURLError` otherwise."""
    target = pattern_target(uri, base_url)
    return Pattern(target.origin, target.path, wildcard=uri.endswith("*"))


def pattern_target(uri: str, base_url: httpx.URL | None) -> Target:
    """Where the entry points to, its final `*` left out; raises `OddURLError`."""
    return parse_target(uri.removesuffix("*"), base_url)


def covering_keys(path: str, depth: int) -> Iterator[str]:
    """Every wildcard path with at most `depth` slashes that covers `path`, the widest first.

    `/v1/me` is covered by `/`, `/v1`, `/v1/` and `/v1/me`: cuts are at segment boundaries only.
    """
    yield "/"
    slash = 0
    for _ in range(depth):
        slash = path.find("/", slash + 1)
        if slash < 0:
            break
        yield path[:slash]
        yield path[: slash + 1]
    if not path.endswith("/"):
        yield path
