"""Sealing: only the right key in the right place opens it."""

from __future__ import annotations

import pytest

from app.auth.errors import ConfigError
from app.auth.session import Sealer, UnsealError

SEALER = Sealer(("x" * 32,))


def test_round_trip() -> None:
    """What was sealed opens in its context, and two sealings of one text differ."""
    first, second = (SEALER.seal(b"text", context=b"row") for _ in range(2))
    assert SEALER.unseal(first, context=b"row") == b"text"
    assert first != second


@pytest.mark.parametrize("position", [0, 1, 9, 21, -1])
def test_every_byte_counts(position: int) -> None:
    """A changed version, key id, nonce, ciphertext or tag does not open."""
    sealed = bytearray(SEALER.seal(b"text", context=b"row"))
    sealed[position] ^= 1
    with pytest.raises(UnsealError):
        SEALER.unseal(bytes(sealed), context=b"row")


def test_context() -> None:
    """Sealed bytes do not open in another place."""
    with pytest.raises(UnsealError):
        SEALER.unseal(SEALER.seal(b"text", context=b"row"), context=b"other row")


@pytest.mark.parametrize("secrets", [(), ("short",), ("x" * 32, "short")])
def test_short_secret(secrets: tuple[str, ...]) -> None:
    """A short secret is refused, with the command that makes a good one."""
    with pytest.raises(ConfigError, match="openssl rand"):
        Sealer(secrets)


def test_repr() -> None:
    """Printing a sealer does not print its secret."""
    assert "xxx" not in repr(vars(SEALER))
