"""The certificate that this client shows to a server that asks for one (RFC 8705)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import httpx

from .errors import ConfigError

CERTIFICATE_METHODS = ("tls_client_auth", "self_signed_tls_client_auth")
"""How a client authenticates at the token endpoint by its certificate (RFC 8705 section 2)."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate and its private key, both in PEM files.

    `certificate_file` has the certificate, the chain up to its authority if there is one, and the
    key unless `key_file` names another file. `ca_file` has the authorities that the server's own
    certificate is checked against; None stands for the usual ones.
    """

    certificate_file: str
    key_file: str | None = None
    ca_file: str | None = None

    def ssl_context(self) -> ssl.SSLContext:
        """Return what a connection needs. The files are read once.

        Raises:
            ConfigError: a file cannot be read, or the key does not belong to the certificate.
        """
        try:
            context = httpx.create_ssl_context(verify=True, trust_env=False)
            if self.ca_file is not None:
                context = ssl.create_default_context(cafile=self.ca_file)
            # A key with a passphrase would have OpenSSL ask for it on the terminal.
            context.load_cert_chain(self.certificate_file, self.key_file, password="")
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            raise ConfigError(
                f"The client certificate {self.certificate_file} cannot be used: it has to be a "
                f"PEM file with a certificate, with a private key beside it or in the same file "
                f"({type(error).__name__})."
            ) from None
        return context
