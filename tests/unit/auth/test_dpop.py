"""Proofs (RFC 9449), held against the specification's own examples and against a server's check."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey
from starlette.requests import Request

from app.auth.dpop import BoundToken, DPoPKey, Nonces, access_token_hash, demands_nonce
from app.local_tenant.dpop_proof import ProofChecker, ProofError

NOW = 1_562_262_616.0
TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
ATH = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
PUBLIC = {
    "kty": "EC",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    "crv": "P-256",
}
_HEADER = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNo"
    "UklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERW"
    "clUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
)
AT_TOKEN_ENDPOINT = (
    f"{_HEADER}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyL"
    "mV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwn"
    "Qg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
AT_RESOURCE = (
    f"{_HEADER}.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZ"
    "S5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNT"
    "NFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxH"
    "F8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
RESOURCE = "https://resource.example.org/protectedresource"
KEY = DPoPKey.generate()


def parts(proof: str) -> tuple[dict[str, object], dict[str, object]]:
    """Header and claims of a proof, which the key in the header has signed."""
    header = jws.extract_compact(proof.encode()).headers()
    key = ECKey.import_key(dict(header["jwk"]))
    return header, dict(jwt.decode(proof, key, algorithms=["ES256"]).claims)


def request_with(*proofs: str, method: str = "GET", url: str = RESOURCE) -> Request:
    """A request as a server sees it."""
    parsed = httpx.URL(url)
    headers = [(b"host", parsed.netloc), *((b"dpop", proof.encode()) for proof in proofs)]
    return Request(
        {
            "type": "http",
            "method": method,
            "scheme": parsed.scheme,
            "path": parsed.path,
            "raw_path": parsed.raw_path,
            "query_string": parsed.query,
            "headers": headers,
            "server": None,
        }
    )


def test_thumbprint_and_token_hash_of_the_specification() -> None:
    """`jkt` (section 6.1) and `ath` (section 7.1) are those of the examples."""
    assert ECKey.import_key(dict(PUBLIC)).thumbprint() == THUMBPRINT
    assert access_token_hash(TOKEN) == ATH


@pytest.mark.parametrize(
    ("example", "method", "url", "token"),
    [
        pytest.param(AT_TOKEN_ENDPOINT, "POST", "https://server.example.com/token", None, id="4.1"),
        pytest.param(AT_RESOURCE, "GET", RESOURCE, TOKEN, id="7.1"),
    ],
)
def test_proof_has_the_members_of_the_specification(
    example: str, method: str, url: str, token: str | None
) -> None:
    """For the request of an example, our proof says the same, but for key, `jti` and time."""
    header, claims = parts(example)
    now = float(str(claims["iat"]))
    proof = KEY.proof(method, httpx.URL(url), now=now, access_token=token)
    ours, our_claims = parts(proof)
    assert ours.keys() == header.keys()
    assert (ours["typ"], ours["alg"]) == (header["typ"], header["alg"])
    assert set(ours["jwk"]) == set(PUBLIC)  # type: ignore[call-overload]
    assert {**our_claims, "jti": claims["jti"]} == claims
    checker = ProofChecker(lambda: now)
    assert checker.check(request_with(proof, method=method, url=url), access_token=token)


def test_the_servers_check_takes_the_example_of_the_specification() -> None:
    """The local tenant's check finds the key of the example in section 7.1."""
    checker = ProofChecker(lambda: NOW)
    assert checker.check(request_with(AT_RESOURCE), access_token=TOKEN) == THUMBPRINT


def test_url_of_a_proof() -> None:
    """`htu` is the URL as it is sent, without userinfo, query and fragment (section 4.2)."""
    url = httpx.URL("https://user:pw@API.example.com:443/v1/a%20b;c?q=1#f")
    _, claims = parts(KEY.proof("GET", url, now=NOW))
    assert claims["htu"] == "https://api.example.com/v1/a%20b;c"
    other = httpx.URL("https://b\u00fccher.example:8443")
    _, claims = parts(KEY.proof("GET", other, now=NOW))
    assert claims["htu"] == "https://xn--bcher-kva.example:8443/"


def test_each_proof_is_new() -> None:
    """Two proofs for one request have different ids."""
    url = httpx.URL(RESOURCE)
    ids = {str(parts(KEY.proof("GET", url, now=NOW))[1]["jti"]) for _ in range(10)}
    assert len(ids) == 10


def test_private_part_of_a_key_is_in_its_text_only() -> None:
    """No representation, no pickle and no proof has it; the text brings the key back."""
    private = str(json.loads(KEY.text)["d"])
    token = BoundToken("token", KEY)
    proof = KEY.proof("GET", httpx.URL(RESOURCE), now=NOW)
    shown = [repr(KEY), str(KEY), repr(token), json.dumps(parts(proof)), f"{token}"]
    assert not any(private in text for text in shown)
    assert DPoPKey.load(KEY.text).thumbprint == KEY.thumbprint
    with pytest.raises(TypeError):
        pickle.dumps(KEY)
    for plain in (pickle.loads(pickle.dumps(token)), copy.copy(token), str(token)):  # noqa: S301
        assert type(plain) is str
        assert plain == "token"


def test_nonces_are_kept_by_origin() -> None:
    """A nonce is for the origin that sent it; what is no nonce (section 8.1) is not kept."""
    nonces, url = Nonces(), httpx.URL("https://api.example.com/v1/me")
    assert nonces.learn(url, httpx.Headers({"DPoP-Nonce": "one"}))
    assert nonces.of(httpx.URL("https://api.example.com:443/other")) == "one"
    for other in ("https://api.example.com:8443/", "http://api.example.com/", "https://b.example/"):
        assert nonces.of(httpx.URL(other)) is None
    two = httpx.Headers([("DPoP-Nonce", "a"), ("DPoP-Nonce", "b")])
    odd = [{}, *({"DPoP-Nonce": value} for value in ("", "a b", 'a"b', "a\\b", "x" * 513))]
    for headers in (two, *map(httpx.Headers, odd)):
        assert not nonces.learn(url, headers)
    assert nonces.of(url) == "one"


def test_nonces_are_bounded() -> None:
    """A thousand origins later, the first one is forgotten."""
    nonces = Nonces()
    for number in range(1100):
        nonces.learn(httpx.URL(f"https://a{number}.example/"), httpx.Headers({"DPoP-Nonce": "n"}))
    assert nonces.of(httpx.URL("https://a0.example/")) is None
    assert nonces.of(httpx.URL("https://a1099.example/")) == "n"


@pytest.mark.parametrize(
    ("status", "challenge", "expected"),
    [
        (401, 'DPoP error="use_dpop_nonce"', True),
        (401, 'Bearer, DPoP algs="ES256", error="use_dpop_nonce"', True),
        (401, 'DPoP error="invalid_token"', False),
        (401, None, False),
        (403, 'DPoP error="use_dpop_nonce"', False),
    ],
)
def test_what_demands_a_nonce(status: int, challenge: str | None, expected: bool) -> None:
    """Only a 401 that says so (section 9)."""
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    assert demands_nonce(httpx.Response(status, headers=headers)) is expected


def _signed(header: dict[str, object] | None = None, **changes: object) -> str:
    """A proof for RESOURCE with other members; None leaves a claim out."""
    key = ECKey.generate_key("P-256")
    claims = {"jti": "1", "htm": "GET", "htu": RESOURCE, "iat": NOW, "ath": ATH, **changes}
    jwk = key.as_dict(private=False)
    members = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk, **(header or {})}
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(members, present, key, algorithms=["ES256"])


@pytest.mark.parametrize(
    "proof",
    [
        pytest.param(lambda: _signed(htm="POST"), id="another method"),
        pytest.param(lambda: _signed(htu="https://other.example.org/"), id="another URL"),
        pytest.param(lambda: _signed(htu=f"{RESOURCE}?q=1"), id="with a query"),
        pytest.param(lambda: _signed(iat=NOW - 61), id="old"),
        pytest.param(lambda: _signed(iat=NOW + 61), id="of the future"),
        pytest.param(lambda: _signed(iat=None), id="no iat"),
        pytest.param(lambda: _signed(jti=None), id="no jti"),
        pytest.param(lambda: _signed(ath=None), id="no ath"),
        pytest.param(lambda: _signed(ath="x"), id="another token"),
        pytest.param(lambda: _signed({"typ": "JWT"}), id="no proof's type"),
        pytest.param(lambda: _signed({"jwk": dict(PUBLIC)}), id="signed by another key"),
        pytest.param(lambda: f"{AT_RESOURCE[:-4]}AAAA", id="bent signature"),
        pytest.param(lambda: "proof", id="no JWT"),
    ],
)
def test_refused_proofs(proof: Callable[[], str]) -> None:
    """What section 4.3 lists is refused by the tenant and the external API."""
    with pytest.raises(ProofError):
        ProofChecker(lambda: NOW).check(request_with(proof()), access_token=TOKEN)


def test_a_proof_serves_once_and_alone() -> None:
    """A replayed `jti`, a second header and no header are refused."""
    checker = ProofChecker(lambda: NOW)
    checker.check(request_with(AT_RESOURCE), access_token=TOKEN)
    for proofs in ((AT_RESOURCE,), (_signed(), _signed()), ()):
        with pytest.raises(ProofError):
            checker.check(request_with(*proofs), access_token=TOKEN)


def test_nonces_of_a_server() -> None:
    """A proof needs the nonce of now or of the period before; an older one is refused."""
    now = NOW
    checker = ProofChecker(lambda: now, needs_nonce=True)
    nonce = checker.headers["DPoP-Nonce"]
    with pytest.raises(ProofError) as raised:
        checker.check(request_with(_signed()), access_token=TOKEN)
    assert raised.value.error == "use_dpop_nonce"
    for later in (0, 300):
        now = NOW + later
        proof = _signed(iat=now, nonce=nonce)
        assert checker.check(request_with(proof), access_token=TOKEN)
    now = NOW + 600
    with pytest.raises(ProofError):
        checker.check(request_with(_signed(iat=now, nonce=nonce)), access_token=TOKEN)
