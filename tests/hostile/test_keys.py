"""Key sets: rotated, missing, useless, or withheld."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from joserfc.jwk import OctKey

from ..flow.world import Clock
from .http_server import Answer
from .provider import ABSENT, HostileProvider
from .relying_party import RelyingParty
from .signing import ec_key, rsa_key, sign, weak_rsa_key


@pytest.mark.parametrize("name", ["oidcc-client-test-signing-key-rotation"])
async def test_rotation_between_two_logins(
    party: RelyingParty, provider: HostileProvider, name: str
) -> None:
    """A key that is new at the second login is found at once."""
    assert (await party.log_in()).code is None
    provider.rotate_keys()
    assert (await party.log_in()).code is None


@pytest.mark.parametrize("name", ["oidcc-client-test-signing-key-rotation-just-before-signing"])
async def test_rotation_between_code_and_token(
    party: RelyingParty, provider: HostileProvider, name: str
) -> None:
    """Nobody notices that the key changed while they were logging in."""
    assert (await party.log_in()).code is None
    provider.bend.before_token = provider.rotate_keys
    assert (await party.log_in()).code is None
    assert len(provider.asked("/jwks")) == 2


async def test_same_id_other_key(party: RelyingParty, provider: HostileProvider) -> None:
    """A key that was exchanged under the same id is found, too."""
    assert (await party.log_in()).code is None
    key = rsa_key("other")
    provider.bend.jwks = lambda _: {"keys": [{**key.as_dict(private=False), "kid": "first"}]}
    provider.bend.sign = lambda header, claims: sign(header, claims, key)
    assert (await party.log_in()).code is None


async def test_cool_down(party: RelyingParty, provider: HostileProvider, clock: Clock) -> None:
    """Unknown key ids make one request for keys in half a minute, however many there are."""
    assert (await party.log_in()).code is None
    provider.bend.header = lambda header: {**header, "kid": "nobody's"}
    for _ in range(4):
        assert (await party.log_in()).code == "invalid_id_token"
    assert len(provider.asked("/jwks")) == 2
    clock.now += 31
    assert (await party.log_in()).code == "invalid_id_token"
    assert len(provider.asked("/jwks")) == 3


async def test_single_flight(party: RelyingParty, provider: HostileProvider) -> None:
    """Many logins that need the new key at the same time fetch it once."""
    assert (await party.log_in()).code is None
    provider.rotate_keys()
    outcomes = await asyncio.gather(*(party.log_in() for _ in range(8)))
    assert [outcome.code for outcome in outcomes] == [None] * 8
    assert len(provider.asked("/jwks")) == 2


async def test_logout_tokens_do_not_use_up_the_refetch(
    party: RelyingParty, provider: HostileProvider
) -> None:
    """A forged logout token does not stop the next login from finding a new key."""
    assert (await party.log_in()).code is None
    stranger = provider.logout_token(header={"kid": "nobody's"})
    assert (await party.post_logout_token(stranger)).status_code == 400
    provider.rotate_keys()
    assert (await party.log_in()).code is None


async def test_withdrawn_key(party: RelyingParty, provider: HostileProvider, clock: Clock) -> None:
    """Ten minutes after a key was withdrawn nothing is accepted that it signed."""
    assert (await party.log_in()).code is None
    stolen = rsa_key("first")
    provider.rotate_keys()
    provider.bend.sign = lambda header, claims: sign({**header, "kid": "first"}, claims, stolen)
    clock.now += 601
    assert (await party.log_in()).code == "invalid_id_token"


FIRST = rsa_key("first").as_dict(private=False)
OTHER = rsa_key("other").as_dict(private=False)
SECRET = OctKey.import_key("s" * 32, {"kid": "first", "use": "sig"}).as_dict()

USELESS: dict[str, list[Any]] = {
    "for encryption": [{**FIRST, "use": "enc"}],
    "for other operations": [{**FIRST, "key_ops": ["encrypt"]}],
    "for another algorithm": [{**FIRST, "alg": "PS256"}],
    "under another id": [{**FIRST, "kid": "other"}],
    "without a modulus": [{n: v for n, v in FIRST.items() if n != "n"}],
    "no object": ["first"],
}


@pytest.mark.parametrize("keys", USELESS.values(), ids=USELESS)
async def test_useless_key(party: RelyingParty, provider: HostileProvider, keys: list[Any]) -> None:
    """The right key does not count when it is published for something else or misshapen."""
    provider.bend.jwks = lambda _: {"keys": [rsa_key("second").as_dict(private=False), *keys]}
    outcome = await party.log_in()
    assert (outcome.code, outcome.session) == ("invalid_id_token", None)


BESIDE: dict[str, Any] = {
    "for encryption": {**OTHER, "use": "enc"},
    "for other operations": {**OTHER, "key_ops": ["encrypt"]},
    "for another algorithm": {**OTHER, "alg": "PS256"},
    "of another kind": ec_key("curve").as_dict(private=False),
}


@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE)
async def test_key_beside(party: RelyingParty, provider: HostileProvider, beside: Any) -> None:
    """Without a key id, the only key that is published for this kind of signature is used,
    whatever else is published."""
    provider.bend.header = lambda header: {**header, "kid": ABSENT}
    provider.bend.jwks = lambda _: {"keys": [FIRST, beside]}
    assert (await party.log_in()).code is None


async def test_weak_key(party: RelyingParty, provider: HostileProvider) -> None:
    """An RSA key under 2,048 bits verifies nothing."""
    weak = weak_rsa_key("weak")
    provider.keys = [weak, rsa_key("second")]
    provider.bend.sign = lambda header, claims: sign(header, claims, weak)
    assert (await party.log_in()).code == "invalid_id_token"


UNUSABLE: dict[str, tuple[Any, str]] = {
    "symmetric": ({"keys": [SECRET]}, "provider_error"),
    "none": ({"keys": []}, "provider_error"),
    "no list": ({"keys": {}}, "provider_error"),
    "HTML": (Answer(200, b"<html>"), "provider_error"),
    "five megabytes": (Answer(200, b" " * 5_000_000), "provider_error"),
    "a redirect": (Answer.redirect("https://evil.example/jwks"), "provider_error"),
    "not found": (Answer(404, b"{}"), "provider_error"),
    "busy": (Answer(503), "provider_unavailable"),
    "no answer": (Answer(is_cut=True), "provider_unavailable"),
}


@pytest.mark.parametrize(("bent", "code"), UNUSABLE.values(), ids=UNUSABLE)
async def test_unusable_key_set(
    party: RelyingParty, provider: HostileProvider, bent: Any, code: str
) -> None:
    """Without any key that can be used there is no login."""
    provider.bend.jwks = lambda _: bent
    outcome = await party.log_in()
    assert (outcome.code, outcome.session) == (code, None)
