"""The authorization request."""

from __future__ import annotations

from app.auth.oidc.authorization import code_challenge


def test_code_challenge() -> None:
    """The challenge is that of RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert code_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
