"""URLs made by an attacker who wants a token to go astray, and ordinary URLs."""

from __future__ import annotations

from hypothesis import strategies as st

ENTRIES = (
    "https://api.example.com/v1/me",
    "https://api.example.com/v1*",
    "https://api.example.com/v2/*",
    "https://files.example.com*",
    "https://api.example.com:8443/v1/*",
    "http://localhost:3001/api/*",
    "http://127.0.0.1:4400/api/v2/users/*",
    "https://[2001:db8::1]/x/*",
    "https://b\u00fccher.example/v1/*",
)
_HOSTS = """
api.example.com API.Example.COM api.example.com. api.example.com.evil.example
evil-api.example.com example.com files.example.com files.example.com. localhost
127.0.0.1 127.1 0x7f.1 2130706433 0177.0.0.1 127.0.0.2 127.0.0.1. evil.example
[2001:db8::1] [2001:DB8:0::1] [::1] [::ffff:127.0.0.1] [fe80::1%25eth0]
b\u00fccher.example xn--bcher-kva.example \uff41pi.example.com
api\u3002example\u3002com api.example\u00ad.com api%2eexample.com api.example.com%00
"""
_SEGMENTS = """
v1 v2 v10 V1 me api users x . .. ... %2e %2e%2e .%2E %252e%252e ..; ..;a=1
%2f %2F.. %5c %5c.. ..%2f ..%5c a%2fb %00 %0a ;v=1 * me;x % \u00e9 \uff0e\uff0e \u2024
"""
_JUNK = "\\ @ : ? # // /\\ ; % %0d%0a user@ user:pw@ api.example.com@ * .. |"
_INVISIBLE = ("\t", "\n", "\r", " ", "\x00", "\x7f", "\u00a0", "\u2028", "\ufeff")

HOSTS = ("", *_HOSTS.split())
SEGMENTS = ("", "a b", *_SEGMENTS.split())
JUNK = (*_INVISIBLE, *_JUNK.split())
SCHEMES = ("https://", "HTTPS://", "http://", "https:/", "https:\\\\", "ftp://", "//")
PORTS = ("", "", "", ":", ":443", ":80", ":0443", ":8443", ":3001", ":4400", ":0", ":99999")
USERINFO = ("", "", "", "", "u@", "u:p@", "api.example.com@", ":@", "@")
TAILS = ("", "", "", "?", "?q=1", "?u=https://api.example.com/v1/me", "#x", "#/v1", "?#")


def _with_junk(url: str, junk: str, place: int) -> str:
    at = place % (len(url) + 1)
    return url[:at] + junk + url[at:]


made = st.builds(
    lambda *parts: "".join(parts),
    st.sampled_from(SCHEMES),
    st.sampled_from(USERINFO),
    st.sampled_from(HOSTS),
    st.sampled_from(PORTS),
    st.lists(st.sampled_from(SEGMENTS), max_size=6).map(lambda parts: "/" + "/".join(parts)),
    st.sampled_from(TAILS),
)
"""Put together from ambiguous parts."""

bent = st.builds(
    _with_junk,
    st.sampled_from(ENTRIES).map(lambda entry: entry.removesuffix("*")),
    st.sampled_from(JUNK) | st.text(max_size=3),
    st.integers(0, 60),
)
"""An allowed URL with something put into it."""

near = st.builds(
    lambda entry, parts, tail: entry.removesuffix("*").rstrip("/") + "/" + "/".join(parts) + tail,
    st.sampled_from(ENTRIES),
    st.lists(st.sampled_from(SEGMENTS), max_size=4),
    st.sampled_from(TAILS),
)
"""An allowed origin and path with ambiguous segments below it."""

made_and_bent = st.builds(_with_junk, made, st.sampled_from(JUNK), st.integers(0, 60))
hostile = st.one_of(made, bent, near, made_and_bent)

plain_segments = st.from_regex(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,8}", fullmatch=True)
plain = st.builds(
    lambda entry, parts, tail: (entry, _inside(entry, parts) + tail),
    st.sampled_from(ENTRIES),
    st.lists(plain_segments, max_size=4),
    st.sampled_from(("", "?q=1&r=%20", "#part", "?u=https://evil.example/")),
)
"""An entry, and a URL that it covers and that no parser misreads."""


def _inside(entry: str, parts: list[str]) -> str:
    if not entry.endswith("*"):
        return entry
    folder = entry.removesuffix("*")
    return folder + "/".join(parts) if folder.endswith("/") else "/".join((folder, *parts))
