"""How a URL is normalized, and why an ambiguous one is refused."""

from __future__ import annotations

import httpx
import pytest

from app.auth.interceptor.url import NormalizedURL, normalize_url
from app.auth.interceptor.url_checks import AmbiguousURLError, check_path

BASE = httpx.URL("https://app.example.com/sub/")


def test_parts() -> None:
    """All parts are in the form that they are compared in."""
    normalized = normalize_url("HTTPS://MÜNCHEN.example:8443/a%2Fb?x=1#y")
    assert normalized == NormalizedURL("https", "xn--mnchen-3ya.example", 8443, "/a%2Fb", "x=1")
    assert normalized.text == "https://xn--mnchen-3ya.example:8443/a%2Fb?x=1"


@pytest.mark.parametrize("path", ["/x", "/x/../y", "/"])
def test_relative_as_httpx_sends_it(path: str) -> None:
    """A path is appended to the base exactly as an httpx client does it."""
    client = httpx.AsyncClient(base_url=BASE)
    sent = client.build_request("GET", path).url
    assert normalize_url(path, BASE).text == str(sent)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://a\x00b/", "control character"),
        ("https://a/?q=\x85", "control character"),
        ("https://a/\\b", "backslash"),
        ("https://a/ ", "blanks"),
        ("//evil.com/x", "neither http:// nor https://"),
        ("ftp://a/", "neither http:// nor https://"),
        ("https://u@a/", "userinfo"),
        ("https://a:b/", "malformed host or port"),
        ("https://a\u00ad/", "not a URL that can be sent"),
        (httpx.URL("https://u@a/"), "userinfo"),
        (httpx.URL("ftp://a/"), "neither http nor https"),
        (httpx.URL("//evil.com/x"), "neither absolute nor a path"),
        (httpx.URL("https:/x"), "neither absolute nor a path"),
        (httpx.URL("api/x"), "neither absolute nor a path"),
        (httpx.URL("https://[fe80::1%eth0]/"), "zone"),
        (httpx.URL("https://a%2eb/"), "not a plain name"),
    ],
)
def test_ambiguous(url: str | httpx.URL, words: str) -> None:
    """The reason is named, and the URL itself is not repeated."""
    with pytest.raises(AmbiguousURLError, match=words) as caught:
        normalize_url(url, BASE)
    assert str(url) not in str(caught.value)


@pytest.mark.parametrize("path", ["v1", "", "*", "/caf\u00e9", "/\u2025/"])
def test_paths_that_httpx_would_not_make(path: str) -> None:
    """The path check does not rely on httpx having tidied up."""
    with pytest.raises(AmbiguousURLError):
        check_path(path)
