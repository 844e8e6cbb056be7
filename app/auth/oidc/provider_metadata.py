"""Provider metadata: OpenID Connect Discovery 1.0 section 3 and RFC 8414 section 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..errors import ProviderError
from ..signing_key import SIGNATURE_ALGORITHMS
from ..urls import is_loopback
from .http import string_member

_REQUIRED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_ENDPOINTS = (
    *_REQUIRED,
    "end_session_endpoint",
    "pushed_authorization_request_endpoint",
    "revocation_endpoint",
    "userinfo_endpoint",
)
_SWITCHES = (
    "authorization_response_iss_parameter_supported",
    "require_pushed_authorization_requests",
)
_DEFAULT_ALGORITHM = "RS256"  # of a provider that does not say (OpenID Connect Core 3.1.3.7 rule 7)


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The members this client uses, spelled as in discovery."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    revocation_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False
    require_pushed_authorization_requests: bool = False
    id_token_signing_alg_values_supported: tuple[str, ...] = (_DEFAULT_ALGORITHM,)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, issuer: str) -> ProviderMetadata:
        """Judge a discovery document.

        Raises:
            ProviderError: another issuer, a missing endpoint, one without TLS where the issuer is
                not on loopback itself, or no signature algorithm that this client accepts.
        """
        if document.get("issuer") != issuer:
            raise ProviderError(
                f"Discovery announces another issuer than {issuer}: check AUTH0_DOMAIN.",
                code="issuer_mismatch",
            )
        endpoints = {name: _endpoint(document, name, issuer) for name in _ENDPOINTS}
        missing = [name for name in _REQUIRED if endpoints[name] is None]
        if missing:
            raise ProviderError(f"Discovery lacks {', '.join(missing)}.")
        return cls(
            issuer=issuer,
            id_token_signing_alg_values_supported=_signing_algorithms(document),
            token_endpoint_auth_methods_supported=_texts(
                document, "token_endpoint_auth_methods_supported"
            ),
            **{name: document.get(name) is True for name in _SWITCHES},  # type: ignore[arg-type]
            **endpoints,  # type: ignore[arg-type]
        )


def _endpoint(document: Mapping[str, Any], name: str, issuer: str) -> str | None:
    url = string_member(document, name)
    if url is None:
        return None
    if not _is_secure(url, issuer):
        raise ProviderError(f"Discovery's {name} is not an https URL.")
    return url


def _is_secure(url: str, issuer: str) -> bool:
    """https; or http on this machine, but not because somebody elsewhere says so."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    is_local = is_loopback(parts.hostname) and urlsplit(issuer).scheme == "http"
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_local)
    has_more = parts.username is not None or bool(parts.fragment)
    return is_safe and bool(parts.hostname) and not has_more and url.isprintable()


def _signing_algorithms(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The announced ones that this client accepts; never `none`, never a symmetric one."""
    announced = _texts(document, "id_token_signing_alg_values_supported") or (_DEFAULT_ALGORITHM,)
    accepted = tuple(algorithm for algorithm in announced if algorithm in SIGNATURE_ALGORITHMS)
    if not accepted:
        raise ProviderError("Discovery announces no signature algorithm that is accepted here.")
    return accepted


def _texts(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = document.get(name)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ProviderError(f'"{name}" in the provider\'s answer is not a list of texts.')
    return tuple(values)
