"""The page's files, as the production build serves them: how long they are kept, how small they
are, and that a page names all it needs. Only HTTP, no browser."""

from __future__ import annotations

import gzip
import http.client
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from ..servers import ROOT
from .stack import Stack

PATHS = ("/", "/profile", "/account", "/external")
_FOR_A_YEAR = "public, max-age=31536000, immutable"
_LOADED = re.compile(r'(?:href|src)="(/assets/[^"]+)"')
_IMPORT = re.compile(r'(?:from|import)\s*"\./([^"]+)"')


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[httpx.Client]:
    """A browser's requests, without its cache."""
    with httpx.Client(base_url=stack.url, headers={"Accept-Encoding": "identity"}) as client:
        client.get("/")  # a first visit sets a cookie
        yield client


@pytest.fixture(scope="module")
def assets(client: httpx.Client) -> list[str]:
    """The paths of all files that the start page names, in `assets/`."""
    found = sorted(set(_LOADED.findall(client.get("/").text)))
    assert len(found) > 5
    return found


def test_kept_for_a_year(client: httpx.Client, assets: list[str]) -> None:
    """Each file with a hash in its name is kept without being asked for again."""
    for path in assets:
        response = client.get(path)
        assert response.status_code == 200
        assert response.headers["cache-control"] == _FOR_A_YEAR, path
        again = client.get(path, headers={"If-None-Match": response.headers["etag"]})
        assert (again.status_code, again.headers["cache-control"]) == (304, _FOR_A_YEAR)


@pytest.mark.parametrize("path", PATHS)
def test_document_is_revalidated(client: httpx.Client, path: str) -> None:
    """A document is asked for each time, and 304 says that it is unchanged."""
    response = client.get(path, follow_redirects=True)
    assert response.headers["cache-control"] == "no-cache"
    again = client.get(
        path, headers={"If-None-Match": response.headers["etag"]}, follow_redirects=True
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "no-cache"


def test_first_document_is_private(stack: Stack) -> None:
    """A document that sets a cookie is kept by no shared cache."""
    response = httpx.get(stack.url)
    assert response.headers["set-cookie"]
    assert response.headers["cache-control"] == "private, no-cache"


def test_missing_file_is_not_kept(client: httpx.Client) -> None:
    """A name with a hash that does not exist, as during a deployment, is not kept for a year."""
    response = client.get("/assets/gone-12345678.js")
    assert response.status_code == 404
    assert "immutable" not in response.headers.get("cache-control", "")


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.1, gzip;q=0.9", "gzip"),
        ("identity", None),
    ],
)
def test_encoding_is_chosen(
    client: httpx.Client, assets: list[str], accepted: str, encoding: str | None
) -> None:
    """Files and documents are sent in the smallest encoding that the browser takes, made at build
    time, and each encoding has an ETag of its own."""
    for path in (*assets, "/"):
        plain = client.get(path)
        with client.stream("GET", path, headers={"Accept-Encoding": accepted}) as response:
            body = b"".join(response.iter_raw())
        assert response.headers.get("content-encoding") == encoding, path
        assert "Accept-Encoding" in response.headers["vary"]
        if encoding:
            assert response.headers["etag"] != plain.headers["etag"]
            assert len(body) < len(plain.content)


@pytest.mark.parametrize("path", PATHS)
def test_page_names_all_it_needs(client: httpx.Client, path: str) -> None:
    """Each script that is imported, at any depth, is in the document: none is found out late."""
    named = set(_LOADED.findall(client.get(path, follow_redirects=True).text))
    imported = {
        f"/assets/{name}"
        for script in named
        if script.endswith(".js")
        for name in _IMPORT.findall(client.get(script).text)
    }
    assert imported
    assert imported <= named


def test_connection_is_kept(stack: Stack, assets: list[str]) -> None:
    """One connection serves the document and all its files."""
    address = urlsplit(stack.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port or 80, timeout=10)
    connection.connect()
    socket = connection.sock
    for path in ("/", *assets, "/auth/session"):
        connection.request("GET", path)
        connection.getresponse().read()
        assert connection.sock is socket, path
    connection.close()


def test_budget(client: httpx.Client, assets: list[str]) -> None:
    """What the layer adds to a page of Reflex's, its script, which is minified, and its stylesheet,
    is at most 5.4 KB with gzip."""
    (path,) = [each for each in assets if "/reflex-oidc-" in each]
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as response:
        script = len(b"".join(response.iter_raw()))
    # In the page, the bundler joins the stylesheet with the app's own, and minifies it, too.
    stylesheet = len(gzip.compress((ROOT / "app/auth/reflex/reflex-oidc.css").read_bytes()))
    assert script <= 3_750
    assert script + stylesheet <= 5_400
