"""A scriptable OpenID provider; each thing that it says can be bent."""

from __future__ import annotations

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from joserfc.jwk import ECKey, RSAKey

from .http_server import Answer, HttpServer, Request
from .signing import Fields, half_hash, rsa_key, sign

EVENT = "http://schemas.openid.net/event/backchannel-logout"
SUB = "rp-user-1"
ABSENT = object()  # the value of a claim or a header member that is to be left out

Document = dict[str, Any]
Bent = Document | Answer


def _same(value: Any) -> Any:
    return value


@dataclass
class Bend:
    """From what the provider would say to what it says. `sign` makes the ID token of a header and
    its claims; `refresh_claims` None leaves the ID token out of a refresh response;
    `before_token` happens between the code and the token; what `token_request` makes of a form, if
    anything, is the answer, and the grant is not used up."""

    discovery: Callable[[Document], Bent] = _same
    jwks: Callable[[Document], Bent] = _same
    pushed: Callable[[Document], Bent] = _same
    token_request: Callable[[Document], Bent | None] = lambda form: None
    token_response: Callable[[Document], Bent] = _same
    userinfo: Callable[[Document], Bent] = _same
    revocation: Callable[[], Answer] = Answer
    authorization_response: Callable[[list[tuple[str, str]]], list[tuple[str, str]]] = _same
    header: Callable[[Fields], Fields] = _same
    claims: Callable[[Fields], Fields] = _same
    refresh_claims: Callable[[Fields], Fields] | None = None
    sign: Callable[[Fields, Fields], str] | None = None
    before_token: Callable[[], None] = lambda: None


@dataclass
class _Grant:
    """What a code or a refresh token stands for."""

    parameters: dict[str, str]
    nonce: str
    auth_time: int
    sid: str = field(default_factory=lambda: secrets.token_hex(8))


class HostileProvider:
    """Straight until its `bend` is changed. `requests` are all that arrived."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._server = HttpServer(self._handle)
        self._clock = clock
        self._grants: dict[str, _Grant] = {}
        self._issued: set[str] = set()
        self._pushed: dict[str, dict[str, str]] = {}
        self.issuer = f"{self._server.origin}/"
        self.bend = Bend()
        self.requests: list[Request] = []
        self.keys: list[RSAKey | ECKey] = [rsa_key("first")]
        self.sids: list[str] = []

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self) -> None:
        """Free the port."""
        self._server.stop()

    def url(self, path: str) -> str:
        """An address of this provider."""
        return f"{self._server.origin}{path}"

    def rotate_keys(self, kid: str = "second") -> None:
        """Sign with another key from now on, and publish that one only."""
        self.keys = [rsa_key(kid)]

    def asked(self, path: str) -> list[Request]:
        """The requests for a path, the earliest first."""
        return [request for request in self.requests if request.path == path]

    def logout_token(self, header: Fields | None = None, **claims: Any) -> str:
        """A logout token for the last session, changed by `header` and `claims`."""
        now = int(self._clock())
        fields = {
            "iss": self.issuer,
            "aud": "rp",
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_hex(8),
            "events": {EVENT: {}},
            "sub": SUB,
            "sid": self.sids[-1] if self.sids else "unknown",
        }
        types = {"typ": "logout+jwt", "kid": self.keys[0].kid}
        return sign(
            _present({**types, **(header or {})}), _present({**fields, **claims}), self.keys[0]
        )

    def answer(self, request: Request) -> Answer:
        """What it says to a request that arrived at another server of its."""
        return self._handle(request)

    def _handle(self, request: Request) -> Answer:
        self.requests.append(request)
        handlers = {
            "/.well-known/openid-configuration": self._discovery,
            "/jwks": self._jwks,
            "/par": self._push,
            "/authorize": self._authorize,
            "/token": self._token,
            "/userinfo": self._userinfo,
            "/revoke": lambda _: self.bend.revocation(),
            "/logout": lambda _: Answer(),
        }
        handler = handlers.get(request.path)
        return handler(request) if handler else Answer(404)

    def _discovery(self, _: Request) -> Answer:
        return _answer(self.bend.discovery(self._metadata()))

    def _metadata(self) -> Document:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": self.url("/authorize"),
            "token_endpoint": self.url("/token"),
            "userinfo_endpoint": self.url("/userinfo"),
            "jwks_uri": self.url("/jwks"),
            "end_session_endpoint": self.url("/logout"),
            "revocation_endpoint": self.url("/revoke"),
            "pushed_authorization_request_endpoint": self.url("/par"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": True,
            "code_challenge_methods_supported": ["S256"],
        }

    def _jwks(self, _: Request) -> Answer:
        keys = [key.as_dict(private=False) for key in self.keys]
        return _answer(self.bend.jwks({"keys": keys}))

    def _push(self, request: Request) -> Answer:
        request_uri = f"urn:ietf:params:oauth:request_uri:{secrets.token_hex(8)}"
        self._pushed[request_uri] = _single(request.form)
        answer = _answer(self.bend.pushed({"request_uri": request_uri, "expires_in": 60}))
        return answer if answer.status != 200 else Answer(201, answer.body, answer.headers)

    def _authorize(self, request: Request) -> Answer:
        parameters = _single(request.query)
        parameters = self._pushed.pop(parameters.get("request_uri", ""), parameters)
        code = secrets.token_hex(16)
        self._grants[code] = _Grant(parameters, parameters.get("nonce", ""), int(self._clock()))
        items = [("code", code), ("state", parameters["state"]), ("iss", self.issuer)]
        items = self.bend.authorization_response(items)
        return Answer.redirect(f"{parameters['redirect_uri']}?{urlencode(items)}")

    def _token(self, request: Request) -> Answer:
        form = _single(request.form)
        if (refusal := self.bend.token_request(dict(form))) is not None:
            return _answer(refusal)
        is_refresh = form["grant_type"] == "refresh_token"
        grant = self._grants.pop(form["refresh_token" if is_refresh else "code"], None)
        if grant is None or not (is_refresh or _is_proof(form, grant)):
            return Answer.of_json({"error": "invalid_grant"}, 400)
        self.bend.before_token()
        return _answer(self.bend.token_response(self._tokens(grant, is_refresh=is_refresh)))

    def _tokens(self, grant: _Grant, *, is_refresh: bool) -> Document:
        access_token, refresh_token = secrets.token_hex(20), secrets.token_hex(20)
        self._grants[refresh_token] = grant
        self._issued.add(access_token)
        bend = self.bend.refresh_claims if is_refresh else self.bend.claims
        response = {
            "access_token": access_token,
            "refresh_token": refresh_token,
            "token_type": "Bearer",
            "expires_in": 3600,
        }
        if bend is not None:
            response["id_token"] = self._id_token(bend(self._claims(grant, access_token)))
        return response

    def _claims(self, grant: _Grant, access_token: str) -> Fields:
        self.sids.append(grant.sid)
        now = int(self._clock())
        return {
            "iss": self.issuer,
            "sub": SUB,
            "aud": "rp",
            "iat": now,
            "exp": now + 300,
            "nonce": grant.nonce,
            "auth_time": grant.auth_time,
            "at_hash": half_hash(access_token),
            "sid": grant.sid,
            "name": "Rea Party",
            "email": "rea@example.com",
        }

    def _id_token(self, claims: Fields) -> str:
        key = self.keys[0]
        header = _present(self.bend.header({"alg": "RS256", "kid": key.kid}))
        claims = _present(claims)
        return self.bend.sign(header, claims) if self.bend.sign else sign(header, claims, key)

    def _userinfo(self, request: Request) -> Answer:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._issued:
            return Answer(401)
        claims = {"sub": SUB, "name": "Rea Party", "email": "rea@userinfo.example"}
        return _answer(self.bend.userinfo(claims))


def _is_proof(form: dict[str, str], grant: _Grant) -> bool:
    """PKCE with S256 (RFC 7636 section 4.6)."""
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
    asked = grant.parameters
    return asked.get("code_challenge_method") == "S256" and asked["code_challenge"] == challenge


def _present(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value is not ABSENT}


def _single(parameters: dict[str, list[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in parameters.items()}


def _answer(bent: Bent) -> Answer:
    return bent if isinstance(bent, Answer) else Answer.of_json(bent)
