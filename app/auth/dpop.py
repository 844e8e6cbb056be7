"""DPoP (RFC 9449): access tokens that are bound to a key, and the proofs that a sender has it."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

ALGORITHM = "ES256"
TOKEN_TYPE = "DPoP"  # noqa: S105 - of a token response, and of the Authorization header
HEADER = "DPoP"
USE_NONCE = "use_dpop_nonce"

_PUBLIC = ("kty", "crv", "x", "y")
_NONCE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,512}")  # 1*NQCHAR of section 8.1, not endless
_MOST_ORIGINS = 1024
_CACHED_KEYS = 512  # to import one takes longer than to sign with it


class DPoPKey:
    """A key pair for ES256. `text` is its JWK with the private part: store it encrypted."""

    __slots__ = ("_header", "_key", "text", "thumbprint")

    def __init__(self, key: ECKey) -> None:
        members: dict[str, Any] = dict(key.as_dict(private=True))
        self._key = key
        self.text = json.dumps({name: members[name] for name in (*_PUBLIC, "d")})
        self.thumbprint = key.thumbprint()
        """The JWK thumbprint (RFC 7638), which is `dpop_jkt` (section 10) and `jkt` (section 6)."""
        public = {name: members[name] for name in _PUBLIC}
        self._header = {"typ": "dpop+jwt", "alg": ALGORITHM, "jwk": public}

    def __repr__(self) -> str:
        return f"DPoPKey({self.thumbprint!r})"

    def __reduce__(self) -> Any:
        raise TypeError("A DPoP key is not pickled.")

    @classmethod
    def generate(cls) -> DPoPKey:
        """Return a new key pair."""
        return cls(ECKey.generate_key("P-256"))

    @staticmethod
    @functools.lru_cache(maxsize=_CACHED_KEYS)
    def load(text: str) -> DPoPKey:
        """Return the key pair with this `text`."""
        return DPoPKey(ECKey.import_key(json.loads(text)))

    def proof(
        self,
        method: str,
        url: httpx.URL,
        *,
        now: float,
        nonce: str | None = None,
        access_token: str | None = None,
    ) -> str:
        """Return a proof (section 4.2) for one request. `now` is in epoch seconds."""
        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": _target(url),
            "iat": int(now),
        }
        if access_token is not None:
            claims["ath"] = access_token_hash(access_token)
        if nonce is not None:
            claims["nonce"] = nonce
        return jwt.encode(dict(self._header), claims, self._key, algorithms=[ALGORITHM])


class BoundToken(str):
    """An access token that is bound to a key (section 7). It is the token's text; only what sends
    it needs the `key`, which a copy by `str` or `pickle` does not have."""

    __slots__ = ("key",)
    key: DPoPKey

    def __new__(cls, value: str, key: DPoPKey) -> BoundToken:
        token = super().__new__(cls, value)
        token.key = key
        return token

    def __reduce__(self) -> Any:
        return str, (str(self),)


class Nonces:
    """The latest nonce of each origin (sections 8 and 9). An authorization server and the APIs at
    its origin have nonces of their own, so there is one object for each of the two."""

    def __init__(self) -> None:
        self._by_origin: OrderedDict[str, str] = OrderedDict()

    def of(self, url: httpx.URL) -> str | None:
        """Return the nonce for a request to this URL."""
        return self._by_origin.get(_origin(url))

    def learn(self, url: httpx.URL, headers: httpx.Headers) -> bool:
        """Keep the nonce of an answer from this URL, whatever its status. Return whether it has a
        usable one."""
        nonce = headers.get("dpop-nonce")
        if nonce is None or not _NONCE.fullmatch(nonce):
            return False
        origin = _origin(url)
        self._by_origin[origin] = nonce
        self._by_origin.move_to_end(origin)
        if len(self._by_origin) > _MOST_ORIGINS:
            self._by_origin.popitem(last=False)
        return True


@dataclass(frozen=True, slots=True)
class Proofs:
    """The proofs of one key for one kind of server. `clock` returns epoch seconds."""

    key: DPoPKey
    nonces: Nonces
    clock: Callable[[], float]

    def of(self, request: httpx.Request, access_token: str | None = None) -> str:
        """Return a proof for a request, which names the access token if it carries one."""
        nonce = self.nonces.of(request.url)
        return self.key.proof(
            request.method,
            request.url,
            now=self.clock(),
            nonce=nonce,
            access_token=access_token,
        )


def demands_nonce(response: httpx.Response) -> bool:
    """Whether a protected resource refused a proof for its nonce (section 9)."""
    if response.status_code != 401:
        return False
    return USE_NONCE in response.headers.get("www-authenticate", "")


def access_token_hash(access_token: str) -> str:
    """Return the claim `ath` (section 4.2)."""
    digest = hashlib.sha256(access_token.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _target(url: httpx.URL) -> str:
    """The claim `htu`: the URL as it is sent, without userinfo, query and fragment."""
    path = url.raw_path.decode("ascii").partition("?")[0]
    return f"{_origin(url)}{path}"


def _origin(url: httpx.URL) -> str:
    # httpx leaves the scheme's own port out of `netloc`.
    return f"{url.scheme}://{url.netloc.decode('ascii')}"
