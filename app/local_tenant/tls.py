"""A certificate for `--tls`, made by this program for this machine.

It is issued by an authority that is made with it. The authority's private key is never stored and
its certificate is for loopback names only: who trusts it trusts nothing else.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

# `cryptography` is imported where it is needed: a start without TLS is faster and smaller so.

LIFETIME = datetime.timedelta(days=365)
RENEWED_BEFORE = datetime.timedelta(days=30)
NAME = "localhost"
ADDRESSES = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Certificate:
    """The PEM files: the authority to trust, the certificate, and its private key."""

    authority: Path
    certificate: Path
    key: Path


def ensure_certificate(folder: Path) -> Certificate:
    """The certificate in a folder, made if it is missing or ends within a month."""
    files = Certificate(
        folder / "authority.pem", folder / "localhost.pem", folder / "localhost.key"
    )
    if not _is_valid(files):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(files)
    return files


def _is_valid(files: Certificate) -> bool:
    from cryptography import x509

    if not (files.authority.is_file() and files.key.is_file() and files.certificate.is_file()):
        return False
    try:
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    except ValueError:
        return False
    now = datetime.datetime.now(datetime.UTC)
    return certificate.not_valid_after_utc > now + RENEWED_BEFORE


def _make(files: Certificate) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.datetime.now(datetime.UTC)
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Local tenant (development)")])
    names: list[x509.GeneralName] = [x509.DNSName(NAME)]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES]
    networks: list[x509.GeneralName] = [x509.DNSName(NAME)]
    networks += [x509.IPAddress(ipaddress.ip_network(address)) for address in ADDRESSES]

    def builder(
        subject: x509.Name, public_key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
                critical=False,
            )
        )

    authority = (
        builder(issuer, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(networks, None), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    certificate = (
        builder(subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(files.key, private)
    _write(files.certificate, certificate.public_bytes(pem) + authority.public_bytes(pem))
    _write(files.authority, authority.public_bytes(pem))


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
