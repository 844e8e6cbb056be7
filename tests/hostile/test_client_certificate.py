"""Mutual TLS (RFC 8705) with real TLS servers that ask for a certificate."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from app.auth import (
    AccessTokenTransport,
    AllowedList,
    AuthConfig,
    ClientAuthenticationConfig,
    ClientCertificate,
    ConfigError,
    RequestEvent,
    TokenOptions,
)
from app.auth.interceptor import CertifiedPools, build_client, build_pool

from ..unit.auth.interceptor.certificate import write_certificate
from .http_server import Answer, HttpServer, Request
from .provider import HostileProvider
from .relying_party import Clock, relying_party


@dataclass
class Place:
    """A server that asks for a certificate, and the files of both sides."""

    server: HttpServer
    requests: list[Request]
    certificate: ClientCertificate
    shown: bytes


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Certificate and key of the server, and of the client."""
    folders = tmp_path / "server", tmp_path / "client"
    for folder in folders:
        folder.mkdir()
    server, client = (write_certificate(folder) for folder in folders)
    return server, client


@contextmanager
def place(files: tuple[Path, Path], provider: HostileProvider | None = None) -> Iterator[Place]:
    """The server; it answers as the provider does, if there is one."""
    server_file, client_file = files
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_file)
    context.load_verify_locations(client_file)
    context.verify_mode = ssl.CERT_OPTIONAL
    requests: list[Request] = []

    def handle(request: Request) -> Answer:
        requests.append(request)
        if request.path == "/v1/away":
            return Answer.redirect("/other")
        return provider.answer(request) if provider else Answer.of_json({})

    server = HttpServer(handle, context)
    server.start()
    pem = client_file.read_text()
    shown = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE") :])
    certificate = ClientCertificate(str(client_file), ca_file=str(server_file))
    try:
        yield Place(server, requests, certificate, shown)
    finally:
        server.stop()


@pytest.mark.parametrize("method", ["tls_client_auth", "self_signed_tls_client_auth"])
async def test_provider_endpoints(
    provider: HostileProvider, clock: Clock, files: tuple[Path, Path], method: str
) -> None:
    """Login and refresh use the endpoints for certificates (section 5) and show ours; `client_id`
    takes the place of a secret (section 2). Discovery and keys do without."""
    with place(files, provider) as tls:
        names = ("token_endpoint", "userinfo_endpoint", "revocation_endpoint")
        provider.bend.discovery = lambda document: {
            **document,
            "mtls_endpoint_aliases": {
                name: f"{tls.server.origin}{httpx.URL(document[name]).path}" for name in names
            },
        }
        provider.bend.claims = lambda c: {k: v for k, v in c.items() if k not in ("email", "name")}

        def adapt(config: AuthConfig) -> AuthConfig:
            way = ClientAuthenticationConfig(method, certificate=tls.certificate)
            return replace(config, client_authentication=way)

        async with relying_party(provider, clock, adapt=adapt) as party:
            assert (await party.log_in()).code is None
            clock.now += 3601
            await party.access_token()
    assert [request.path for request in tls.requests[:2]] == ["/token", "/userinfo"]
    assert {request.certificate for request in tls.requests} == {tls.shown}
    grants = [request for request in tls.requests if request.path == "/token"]
    assert len(grants) == 2
    for grant in grants:
        assert grant.form["client_id"] == ["rp"]
        assert "client_secret" not in grant.form
        assert "authorization" not in grant.headers


@pytest.mark.parametrize(
    "aliases", [[], {"token_endpoint": "http://evil.example/token"}, {"token_endpoint": 1}]
)
async def test_bent_aliases(
    provider: HostileProvider, clock: Clock, files: tuple[Path, Path], aliases: object
) -> None:
    """An alias has to be as good an endpoint as any."""
    provider.bend.discovery = lambda document: {**document, "mtls_endpoint_aliases": aliases}

    def adapt(config: AuthConfig) -> AuthConfig:
        certificate = ClientCertificate(str(files[1]))
        way = ClientAuthenticationConfig("tls_client_auth", certificate=certificate)
        return replace(config, client_authentication=way)

    async with relying_party(provider, clock, adapt=adapt) as party:
        assert (await party.log_in()).code == "provider_error"


async def test_apis(files: tuple[Path, Path]) -> None:
    """Requests with a token show the certificate of their origin, and their events say so; a hop
    that is not allowed shows none, and neither does another origin."""
    events: list[RequestEvent] = []

    async def token(_: TokenOptions) -> str:
        return "token"

    with ExitStack() as stack:
        api, other = (stack.enter_context(place(files)) for _ in range(2))
        context = ssl.create_default_context(cafile=str(files[0]))
        async with build_pool(context) as plain:
            certified = CertifiedPools(plain, {api.server.origin: api.certificate})
            allowed = AllowedList([f"{api.server.origin}/v1/*", f"{other.server.origin}/*"])
            transport = AccessTokenTransport(
                allowed, token, plain, with_token=certified, observers=[events.append]
            )
            async with build_client(transport) as http:
                await http.get(f"{api.server.origin}/v1/away", follow_redirects=True)
                await http.get(f"{other.server.origin}/x")
            await certified.aclose()
    (first, second), (third,) = api.requests, other.requests
    assert (first.path, first.certificate) == ("/v1/away", api.shown)
    assert (second.path, second.certificate) == ("/other", None)
    assert "authorization" not in second.headers
    assert third.headers["authorization"] == "Bearer token"
    assert third.certificate is None
    assert [event.client_certificate for event in events] == [True, False, False]
    assert [event.token_type for event in events] == ["Bearer", None, "Bearer"]


async def test_what_cannot_be_used(tmp_path: Path, files: tuple[Path, Path]) -> None:
    """A file that is missing or is none, a plain origin and a URL with a path are errors at the
    start."""
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    for file in (str(text), str(tmp_path / "missing.pem")):
        with pytest.raises(ConfigError, match="client certificate"):
            ClientCertificate(file).ssl_context()
    good = ClientCertificate(str(files[1]))
    async with build_pool() as plain:
        for origin in ("http://127.0.0.1", "https://api.example.com/v1", "api.example.com", ""):
            with pytest.raises(ConfigError, match="client_certificates"):
                CertifiedPools(plain, {origin: good})


def test_variables(files: tuple[Path, Path]) -> None:
    """The variables name the files; the methods need no secret, and one of the files."""
    environ = {
        "AUTH0_DOMAIN": "d.example.com",
        "AUTH0_CLIENT_ID": "c",
        "AUTH0_SECRET": "s" * 32,
        "AUTH0_TOKEN_ENDPOINT_AUTH_METHOD": "tls_client_auth",
    }
    with pytest.raises(ConfigError, match="AUTH0_CLIENT_CERTIFICATE"):
        AuthConfig.from_environ(environ)
    environ |= {"AUTH0_CLIENT_CERTIFICATE": "c.pem", "AUTH0_CLIENT_CERTIFICATE_KEY": "k.pem"}
    way = AuthConfig.from_environ(environ).client_authentication
    assert way.certificate == ClientCertificate("c.pem", "k.pem")
