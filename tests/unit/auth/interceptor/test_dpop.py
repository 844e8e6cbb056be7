"""A bound token on the wire: the right proof on each allowed hop, and on no other (RFC 9449)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from app.auth.dpop import BoundToken, DPoPKey, access_token_hash
from app.auth.interceptor import (
    AccessTokenTransport,
    AllowedList,
    RequestEvent,
    TokenOptions,
    build_client,
)
from app.auth.testing import FakeClock

from .fakes import Recorder, chunks

API, OTHER, EVIL = "https://api.example.com", "https://other.example.com", "https://evil.com"
ALLOWED = AllowedList([f"{API}/v1/*", f"{OTHER}/*"])
KEY = DPoPKey.generate()
TOKEN = BoundToken("bound-token", KEY)
DEMAND = {"WWW-Authenticate": 'DPoP error="use_dpop_nonce"'}

Answer = Callable[[httpx.Request], httpx.Response]


class Server(httpx.AsyncBaseTransport):
    """Answers by `answer`; `sent` keeps what arrived."""

    def __init__(self, answer: Answer) -> None:
        self.sent: list[httpx.Request] = []
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return self._answer(request)


async def bound(options: TokenOptions) -> str:
    """A session whose token is bound."""
    return TOKEN


def transport_to(network: httpx.AsyncBaseTransport, **options: Any) -> AccessTokenTransport:
    """The interceptor before a network."""
    return AccessTokenTransport(ALLOWED, bound, network, **options)


def proof_of(request: httpx.Request) -> dict[str, Any]:
    """The claims of the only proof of a request, which our key has signed."""
    (proof,) = request.headers.get_list("dpop")
    key = ECKey.import_key(json.loads(KEY.text))
    return dict(jwt.decode(proof, key, algorithms=["ES256"]).claims)


def nonces_of(server: Server) -> list[str | None]:
    """The nonce of each proof that arrived."""
    return [proof_of(request).get("nonce") for request in server.sent]


async def test_proof_is_for_the_request_that_is_sent() -> None:
    """Method, URL without query and fragment, time of the clock, and the token's hash; the caller's
    request has none of it."""
    network, clock = Recorder(), FakeClock(1_900_000_000.9)
    async with build_client(transport_to(network, clock=clock)) as client:
        response = await client.post(f"{API}/v1/a%20b?q=1#f", json={})
    (sent,) = network.sent
    assert sent.headers["authorization"] == "DPoP bound-token"
    proof = proof_of(sent)
    assert proof.pop("jti")
    assert proof == {
        "htm": "POST",
        "htu": f"{API}/v1/a%20b",
        "iat": 1_900_000_000,
        "ath": access_token_hash("bound-token"),
    }
    assert not {"authorization", "dpop"} & set(response.request.headers)


@pytest.mark.parametrize("target", [f"{EVIL}/x", f"{API}/admin", f"{API}:8443/v1/x"])
async def test_a_hop_that_is_not_allowed_gets_neither(target: str) -> None:
    """No token and no proof leaves the allowed list."""
    network = Recorder({f"{API}/v1/start": target})
    async with build_client(transport_to(network)) as client:
        await client.get(f"{API}/v1/start", follow_redirects=True)
    assert not {"authorization", "dpop"} & set(network.sent[1].headers)


async def test_each_allowed_hop_has_its_own_proof() -> None:
    """To another path and to another origin: a new proof for that URL."""
    network = Recorder({f"{API}/v1/a": "/v1/b", f"{API}/v1/b": f"{OTHER}/c"})
    async with build_client(transport_to(network)) as client:
        await client.get(f"{API}/v1/a", follow_redirects=True)
    proofs = [proof_of(request) for request in network.sent]
    assert [proof["htu"] for proof in proofs] == [f"{API}/v1/a", f"{API}/v1/b", f"{OTHER}/c"]
    assert len({proof["jti"] for proof in proofs}) == 3


async def test_a_callers_own_proof() -> None:
    """It is replaced where ours is attached, follows no redirect, and is left where the caller
    brought a token, too."""
    network = Recorder({f"{API}/v1/a": "/v1/b", f"{EVIL}/a": f"{EVIL}/b"})
    own = {"DPoP": "own", "Authorization": "DPoP other"}
    async with build_client(transport_to(network)) as client:
        await client.get(f"{API}/v1/a", headers={"DPoP": "own"}, follow_redirects=True)
        await client.get(f"{API}/v1/a", headers=own, follow_redirects=True)
        await client.get(f"{EVIL}/a", headers=own, follow_redirects=True)
    replaced, next_replaced, kept, next_kept, elsewhere, next_elsewhere = network.sent
    assert (proof_of(replaced)["htu"], proof_of(next_replaced)["htu"]) == (
        f"{API}/v1/a",
        f"{API}/v1/b",
    )
    for request in (kept, elsewhere):
        assert request.headers["dpop"] == "own"
    for request in (next_kept, next_elsewhere):
        assert "dpop" not in request.headers


@pytest.mark.parametrize(
    "options",
    [{"headers": {"Host": "evil.com"}}, {"extensions": {"sni_hostname": "evil.com"}}],
    ids=["host", "sni"],
)
async def test_a_diverted_request_has_no_proof(options: dict[str, Any]) -> None:
    """A request that names another recipient gets nothing."""
    network = Recorder()
    async with build_client(transport_to(network)) as client:
        await client.get(f"{API}/v1/a", **options)
    assert not {"authorization", "dpop"} & set(network.sent[0].headers)


async def test_demanded_nonce_is_sent_once_more_and_remembered() -> None:
    """One refusal, one repetition with a new proof; the next request has the nonce at once."""

    def answer(request: httpx.Request) -> httpx.Response:
        is_known = proof_of(request).get("nonce") == "n1"
        return httpx.Response(
            200 if is_known else 401, headers={"DPoP-Nonce": "n1", **({} if is_known else DEMAND)}
        )

    server = Server(answer)
    async with build_client(transport_to(server)) as client:
        for _ in range(2):
            assert (await client.post(f"{API}/v1/a", content=b"x")).status_code == 200
    assert nonces_of(server) == [None, "n1", "n1"]
    assert len({proof_of(request)["jti"] for request in server.sent}) == 3


async def test_nonce_of_any_answer_is_used() -> None:
    """Also that of a success (section 8.2)."""
    numbers = iter(range(3))
    server = Server(lambda _: httpx.Response(200, headers={"DPoP-Nonce": f"n{next(numbers)}"}))
    async with build_client(transport_to(server)) as client:
        for _ in range(3):
            await client.get(f"{API}/v1/a")
    assert nonces_of(server) == [None, "n0", "n1"]


async def test_endless_demands_end() -> None:
    """An API that never has enough gets two requests, and the token is not refreshed for it."""
    numbers, refreshed = iter(range(9)), []

    async def refresh(options: TokenOptions, refused: str) -> str:
        refreshed.append(refused)
        return TOKEN

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(401, headers={**DEMAND, "DPoP-Nonce": f"n{next(numbers)}"})

    server = Server(answer)
    async with build_client(transport_to(server, refresh_access_token=refresh)) as client:
        assert (await client.get(f"{API}/v1/a")).status_code == 401
    assert nonces_of(server) == [None, "n0"]
    assert refreshed == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({**DEMAND}, id="no nonce"),
        pytest.param({**DEMAND, "DPoP-Nonce": 'a"b'}, id="no usable nonce"),
        pytest.param({"DPoP-Nonce": "n"}, id="no demand"),
    ],
)
async def test_what_is_not_repeated(headers: dict[str, str]) -> None:
    """Without a usable nonce, or without a demand, nothing is sent again."""
    server = Server(lambda _: httpx.Response(401, headers=headers))
    async with build_client(transport_to(server)) as client:
        assert (await client.get(f"{API}/v1/a")).status_code == 401
    assert len(server.sent) == 1


async def test_a_body_that_is_gone_is_not_repeated() -> None:
    """A stream is sent once: the caller sees the refusal, and the nonce is there the next time."""
    server = Server(lambda _: httpx.Response(401, headers={**DEMAND, "DPoP-Nonce": "n"}))
    async with build_client(transport_to(server)) as client:
        response = await client.post(f"{API}/v1/a", content=chunks(b"a", b"b"))
        assert response.status_code == 401
        await client.post(f"{API}/v1/a", content=chunks(b"a", b"b"))
    assert nonces_of(server) == [None, "n"]


async def test_foreign_nonces_stay_where_they_are_from() -> None:
    """Neither another allowed origin nor one off the list sets the nonce of an API."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"DPoP-Nonce": f"of-{request.url.host}"})

    server = Server(answer)
    async with build_client(transport_to(server)) as client:
        await client.get(f"{EVIL}/x")
        await client.get(f"{OTHER}/x")
        await client.get(f"{API}/v1/a")
        await client.get(f"{OTHER}/x")
    assert "dpop" not in server.sent.pop(0).headers
    assert nonces_of(server) == [None, None, "of-other.example.com"]


async def test_refused_token_is_refreshed_and_proven_anew() -> None:
    """401 for the token itself: another token, with a proof for that one."""
    new = BoundToken("new-token", KEY)

    async def refresh(options: TokenOptions, refused: str) -> str:
        assert refused == "bound-token"
        return new

    def answer(request: httpx.Request) -> httpx.Response:
        is_new = request.headers["authorization"] == "DPoP new-token"
        headers = {"WWW-Authenticate": 'DPoP error="invalid_token"', "DPoP-Nonce": "n"}
        return httpx.Response(200 if is_new else 401, headers=headers)

    server = Server(answer)
    async with build_client(transport_to(server, refresh_access_token=refresh)) as client:
        assert (await client.get(f"{API}/v1/a")).status_code == 200
    hashes = [proof_of(request)["ath"] for request in server.sent]
    assert hashes == [access_token_hash("bound-token"), access_token_hash("new-token")]
    assert nonces_of(server) == [None, "n"]


async def test_retry_after_has_a_new_proof() -> None:
    """A proof serves once, also when the API asks to try again later."""
    answers = iter([httpx.Response(503, headers={"Retry-After": "0"}), httpx.Response(200)])
    server = Server(lambda _: next(answers))
    async with build_client(transport_to(server)) as client:
        assert (await client.get(f"{API}/v1/a")).status_code == 200
    assert len({proof_of(request)["jti"] for request in server.sent}) == 2


async def test_one_demand_is_met_for_each_request() -> None:
    """Also if the API asks to wait in between: a second demand is the answer."""
    numbers = iter(range(9))

    def answer(_: httpx.Request) -> httpx.Response:
        number = next(numbers)
        if number == 1:
            return httpx.Response(503, headers={"Retry-After": "0"})
        return httpx.Response(401, headers={**DEMAND, "DPoP-Nonce": f"n{number}"})

    server = Server(answer)
    async with build_client(transport_to(server)) as client:
        assert (await client.get(f"{API}/v1/a")).status_code == 401
    assert nonces_of(server) == [None, "n0", "n0"]


async def test_errors_and_logs_hold_no_key(caplog: pytest.LogCaptureFixture) -> None:
    """What a failure shows has neither the token, nor a proof, nor the key."""
    caplog.set_level(logging.DEBUG)
    network = Recorder(error=httpx.ConnectError("refused"))
    async with build_client(transport_to(network)) as client:
        with pytest.raises(httpx.ConnectError) as raised:
            await client.get(f"{API}/v1/a")
    proof, private = network.sent[0].headers["dpop"], json.loads(KEY.text)["d"]
    shown = f"{caplog.text}{raised.value!r}{raised.value.request.headers!r}"
    assert not any(secret in shown for secret in (proof, private, "bound-token"))


async def test_event() -> None:
    """The event says that the token was presented as a DPoP token, and that another request had
    none."""
    events: list[RequestEvent] = []
    transport = transport_to(Recorder(), observers=[events.append])
    async with build_client(transport) as http:
        await http.get(f"{API}/v1/me")
        await http.get(f"{EVIL}/")
    assert [(event.token_type, event.client_certificate) for event in events] == [
        ("DPoP", False),
        (None, False),
    ]
    assert "bound-token" not in repr(events)
