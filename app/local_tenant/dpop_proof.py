"""Checks DPoP proofs as a server (RFC 9449 section 4.3): for the tenant and the external API."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from starlette.requests import Request

ALGORITHM = "ES256"
LIFETIME = 60.0  # seconds around `iat` in which a proof is accepted, and remembered
NONCE_LIFETIME = 300  # seconds; the one before is accepted, too
_MAXIMUM_LENGTH = 4096  # characters

Fields = dict[str, Any]


class ProofError(Exception):
    """A request is refused. `error` is `invalid_dpop_proof`, `use_dpop_nonce` or, if the token is
    not bound to the proof's key, `invalid_token`."""

    def __init__(self, description: str, error: str = "invalid_dpop_proof") -> None:
        super().__init__(description)
        self.description = description
        self.error = error


class ProofChecker:
    """Remembers each proof until it has expired. With `needs_nonce`, a proof has a nonce of this
    process. `clock` gives epoch seconds."""

    def __init__(self, clock: Callable[[], float], *, needs_nonce: bool = False) -> None:
        self.needs_nonce = needs_nonce
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._seen: dict[tuple[str, str], float] = {}

    @property
    def headers(self) -> dict[str, str]:
        """What an answer tells the client: the nonce for its next proof, if it needs one."""
        return {"DPoP-Nonce": self._nonce(0)} if self.needs_nonce else {}

    def check(self, request: Request, *, access_token: str | None = None) -> str:
        """Return the thumbprint of the key that has signed the proof of this request.

        Raises:
            ProofError: there is not exactly one proof, or it failed a check.
        """
        proofs = request.headers.getlist("dpop")
        if len(proofs) != 1:
            raise ProofError("The request has no single DPoP header.")
        key, claims = _verified(proofs[0])
        self._check_claims(request, claims)
        if access_token is not None and claims.get("ath") != _hash(access_token):
            raise ProofError("The proof is for another access token.")
        self._check_nonce(claims)
        jkt = key.thumbprint()
        self._remember((jkt, str(claims["jti"])))
        return jkt

    def check_token(self, request: Request, scheme: str, token: str, claims: Fields) -> None:
        """Check that a token may be used like this: one that is bound to a key with a proof of that
        key, another one without (section 7).

        Raises:
            ProofError: it may not.
        """
        cnf = claims.get("cnf")
        bound_to = cnf.get("jkt") if isinstance(cnf, dict) else None
        if scheme.lower() != "dpop":
            if bound_to is not None:
                raise ProofError("The token is bound to a key.", "invalid_token")
        elif self.check(request, access_token=token) != bound_to or bound_to is None:
            raise ProofError("The token is not bound to the key of the proof.", "invalid_token")

    def _check_claims(self, request: Request, claims: Fields) -> None:
        jti, iat = claims.get("jti"), claims.get("iat")
        if not isinstance(jti, str) or not 0 < len(jti) <= 256:
            raise ProofError("The proof has no usable jti.")
        if claims.get("htm") != request.method:
            raise ProofError("The proof is for another method.")
        if claims.get("htu") != _target(request):
            raise ProofError("The proof is for another URL.")
        if isinstance(iat, bool) or not isinstance(iat, int | float):
            raise ProofError("The proof's iat is not a time.")
        if not abs(self._clock() - iat) <= LIFETIME:
            raise ProofError("The proof is not of this minute.")

    def _check_nonce(self, claims: Fields) -> None:
        if not self.needs_nonce:
            return
        nonce = str(claims.get("nonce", ""))
        if not any(hmac.compare_digest(nonce.encode(), self._nonce(n).encode()) for n in (0, 1)):
            raise ProofError("The proof needs a nonce of this server.", "use_dpop_nonce")

    def _nonce(self, earlier: int) -> str:
        period = int(self._clock() // NONCE_LIFETIME) - earlier
        digest = hmac.new(self._secret, str(period).encode(), hashlib.sha256).digest()
        return _encoded(digest[:18])

    def _remember(self, proof: tuple[str, str]) -> None:
        now = self._clock()
        expired = [each for each, ends_at in list(self._seen.items()) if ends_at < now]
        for each in expired:
            self._seen.pop(each, None)
        if proof in self._seen:
            raise ProofError("The proof was used before.")
        self._seen[proof] = now + 2 * LIFETIME


def _verified(proof: str) -> tuple[ECKey, Fields]:
    """The key in the header of a proof, and the claims that it has signed."""
    try:
        encoded = proof.split(".", 1)[0]
        header = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        jwk = header["jwk"]
        is_known = header["typ"] == "dpop+jwt" and header["alg"] == ALGORITHM
        if len(proof) > _MAXIMUM_LENGTH or not is_known or "d" in jwk or jwk["crv"] != "P-256":
            raise ValueError("not a proof")
        key = ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")})
        registry = jws.JWSRegistry(algorithms=[ALGORITHM])
        registry.max_header_length = _MAXIMUM_LENGTH
        claims = json.loads(jws.deserialize_compact(proof, key, registry=registry).payload or b"")
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ProofError("The proof is not a JWT that its own key has signed.") from None
    if not isinstance(claims, dict):
        raise ProofError("The proof has no claims.")
    return key, claims


def _target(request: Request) -> str:
    path = request.scope["raw_path"].decode("ascii").partition("?")[0]
    return f"{request.url.scheme}://{request.headers.get('host', '')}{path}"


def _hash(access_token: str) -> str:
    return _encoded(hashlib.sha256(access_token.encode()).digest())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
