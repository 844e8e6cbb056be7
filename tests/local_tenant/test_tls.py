"""The certificate of `--tls`."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from app.local_tenant.settings import TenantSettings
from app.local_tenant.tls import ensure_certificate

from .visitor import Visitor


def test_certificate(tmp_path: Path) -> None:
    """The certificate is for this machine's names; its authority can vouch for no other, and its
    key is nowhere."""
    files = ensure_certificate(tmp_path / "tls")
    assert {path.name for path in (tmp_path / "tls").iterdir()} == {
        *("authority.pem", "localhost.pem", "localhost.key")
    }
    assert all(path.stat().st_mode & 0o77 == 0 for path in (tmp_path / "tls").iterdir())
    ssl.create_default_context(cafile=files.authority)
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    certificate.verify_directly_issued_by(authority)
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert x509.DNSName("localhost") in (constraints.value.permitted_subtrees or ())
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    assert key.public_key() == certificate.public_key()
    assert key.public_key() != authority.public_key()


def test_kept(tmp_path: Path) -> None:
    """The certificate stays over starts, so that it is trusted once; a damaged one is replaced."""
    first = ensure_certificate(tmp_path).authority.read_bytes()
    assert ensure_certificate(tmp_path).authority.read_bytes() == first
    (tmp_path / "localhost.pem").write_bytes(b"damaged")
    renewed = ensure_certificate(tmp_path)
    assert renewed.authority.read_bytes() != first
    certificate = x509.load_pem_x509_certificate(renewed.certificate.read_bytes())
    assert certificate.not_valid_after_utc > datetime.datetime.now(datetime.UTC)


@pytest.mark.parametrize(
    ("host", "tls", "issuer"),
    [
        ("127.0.0.1", False, "http://127.0.0.1:4443/"),
        ("localhost", False, "http://localhost:4443/"),
        ("localhost", True, "https://localhost:4443/"),
        ("::1", True, "https://[::1]:4443/"),
    ],
)
def test_issuer(host: str, tls: bool, issuer: str) -> None:
    """There is one issuer, which the settings say."""
    assert TenantSettings(host=host, port=4443, tls=tls).issuer == issuer


@pytest.mark.parametrize("host", ["127.0.0.1:4400", "localhost:4400"])
async def test_one_issuer(visitor: Visitor, host: str) -> None:
    """A request by another name of this machine gets no other issuer."""
    path = "/.well-known/openid-configuration"
    document = (await visitor.application.get(path, headers={"Host": host})).json()
    assert document["issuer"] == "http://127.0.0.1:4400/"


async def test_cookie(tmp_path: Path) -> None:
    """With TLS the browser sends the cookie by TLS only."""
    visitor = Visitor(tmp_path, tls=True)
    assert "Secure" in (await visitor.authorize()).headers["set-cookie"]
