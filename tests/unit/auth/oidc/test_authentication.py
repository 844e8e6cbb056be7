"""What an ID token says about how the user logged in, and which of it is a second factor."""

from __future__ import annotations

from typing import Any

import pytest

from app.auth.oidc.authentication import MULTI_FACTOR, acr_of, amr_of, is_multi_factor, meets


@pytest.mark.parametrize("acr", [None, "", 2, True, ["gold"], {"acr": "gold"}, "x" * 513])
def test_other_acr(acr: Any) -> None:
    """An `acr` that is no text, or too long, counts as none."""
    assert acr_of({"acr": acr}) is None
    assert acr_of({}) is None


@pytest.mark.parametrize(
    "amr",
    [None, "mfa", {"mfa": True}, ["mfa", 1], ["mfa", {}], ["mfa", ""], ["mfa"] * 33, [["mfa"]]],
)
def test_other_amr(amr: Any) -> None:
    """An `amr` that is no short list of texts counts as none, whatever else is in it."""
    assert amr_of({"amr": amr}) == ()
    assert amr_of({}) == ()


def test_kept() -> None:
    """What has the shape of the specifications is kept as it is."""
    assert acr_of({"acr": "urn:gold"}) == "urn:gold"
    assert amr_of({"amr": ["pwd", "otp"]}) == ("pwd", "otp")


@pytest.mark.parametrize(
    ("acr", "amr", "has_second"),
    [
        (None, (), False),
        (MULTI_FACTOR, (), True),
        ("urn:gold", (), False),
        (None, ("mfa",), True),
        (None, ("pwd",), False),
        *((None, (method,), False) for method in ("otp", "hwk", "sms", "face", "pin", "swk")),
        *((None, ("pwd", method), True) for method in ("otp", "hwk", "sms", "tel", "sc", "fpt")),
        *((None, ("pwd", method), False) for method in ("pin", "kba", "geo", "rba", "user", "mca")),
        (None, ("pwd", "MFA"), False),
    ],
)
def test_multi_factor(acr: str | None, amr: tuple[str, ...], has_second: bool) -> None:
    """A second factor is one beside a password, of another kind than it; alone, none is."""
    assert is_multi_factor(acr, amr) is has_second


def test_requested() -> None:
    """One of the requested values has to be there. `amr` says it where a second factor is one."""
    assert meets("gold silver", "silver", ())
    assert not meets("gold silver", None, ("mfa",))
    assert not meets("gold silver", "gold silver", ())
    assert meets(f"gold {MULTI_FACTOR}", None, ("pwd", "otp"))
    assert not meets(MULTI_FACTOR, None, ("pwd",))
