"""Session records: what is written and what is read back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.auth.session import AccessToken, Activity, LoginMode, RecordError, Session, Transaction

SESSION = Session("auth0|ann", "sid", {"name": "Ann"}, (), 1_800_000_000.25)


def test_round_trip() -> None:
    """A session that is written and read is equal in every field."""
    assert Session.from_bytes(SESSION.to_bytes()) == SESSION
    full = replace(SESSION, userinfo_claims=("email", "name"), data={"plan": ["gold"]})
    assert Session.from_bytes(full.to_bytes()) == full


def test_state_key() -> None:
    """Each session has a random state key of its own, of 128 bits; a changed session keeps it."""
    other = Session("auth0|ann", "sid", {"name": "Ann"}, (), 1_800_000_000.25)
    assert len(bytes.fromhex(SESSION.state_key)) == 16
    assert other.state_key != SESSION.state_key
    assert SESSION.with_id_token("newer").state_key == SESSION.state_key
    assert SESSION.state_key not in repr(SESSION)


def without_state_key(session: Session) -> bytes:
    """The record as it was written before there was a state key."""
    fields = json.loads(session.to_bytes())
    del fields["state_key"]
    return json.dumps(fields).encode()


def test_record_without_state_key() -> None:
    """An earlier record is read, with the same state key in each process and after each change of
    its tokens; other sessions get another."""
    first = Session.from_bytes(without_state_key(SESSION))
    assert Session.from_bytes(without_state_key(SESSION)) == first
    assert Session.from_bytes(first.to_bytes()) == first
    refreshed = Session.from_bytes(without_state_key(SESSION.with_id_token("newer")))
    assert refreshed.state_key == first.state_key
    assert len(bytes.fromhex(first.state_key)) == 16
    others = [replace(SESSION, created_at=1.0), replace(SESSION, sub="bob")]
    keys = {Session.from_bytes(without_state_key(other)).state_key for other in others}
    assert len(keys | {first.state_key}) == 3


def test_transaction() -> None:
    """A transaction that is written and read is equal in every field; one of an earlier release,
    without a mode, is a redirect."""
    popup = Transaction("n", "v", "https://x/", "/", "openid", None, 1.0, mode=LoginMode.POPUP)
    assert Transaction.from_bytes(popup.to_bytes()) == popup
    fields = json.loads(popup.to_bytes())
    del fields["mode"]
    earlier = Transaction.from_bytes(json.dumps(fields).encode())
    assert earlier == replace(popup, mode=LoginMode.REDIRECT)


def test_record_without_session_expiry() -> None:
    """A record from before sessions had a `session_expiry` is read, and has none."""
    fields = json.loads(SESSION.to_bytes())
    del fields["session_expiry"]
    assert Session.from_bytes(json.dumps(fields).encode()) == SESSION


@pytest.mark.parametrize(
    ("held", "newer", "kept"),
    [(None, None, None), (None, 5.0, 5.0), (5.0, None, 5.0), (5.0, 4.0, 4.0), (5.0, 6.0, 5.0)],
)
def test_ending_by(held: float | None, newer: float | None, kept: float | None) -> None:
    """A refreshed ID token brings the end of a session forward, and never puts it off."""
    session = replace(SESSION, session_expiry=held)
    assert session.ending_by(newer).session_expiry == kept


def test_record_without_claims_fields() -> None:
    """An earlier record, without what was added for claims and hooks, is read with defaults."""
    fields = json.loads(SESSION.to_bytes())
    for name in ("provider_claims", "userinfo_claims", "claims_at", "claims_version", "data"):
        del fields[name]
    assert Session.from_bytes(json.dumps(fields).encode()) == SESSION
    transaction = Transaction("n", "v", "r", "/", "openid", None, 1.0, parameters={"invite": "x"})
    assert Transaction.from_bytes(transaction.to_bytes()) == transaction
    fields = json.loads(transaction.to_bytes())
    del fields["parameters"]
    assert Transaction.from_bytes(json.dumps(fields).encode()) == replace(
        transaction, parameters={}
    )


def test_authentication() -> None:
    """How the user logged in is written and read; an earlier record says nothing about it."""
    session = replace(SESSION, acr="urn:gold", amr=("pwd", "otp"))
    assert Session.from_bytes(session.to_bytes()) == session
    fields = json.loads(session.to_bytes())
    del fields["acr"], fields["amr"]
    earlier = Session.from_bytes(json.dumps(fields).encode())
    assert (earlier.acr, earlier.amr) == (None, ())


def test_earlier_transaction() -> None:
    """A login that began before an update asked for no `acr`."""
    transaction = Transaction("nonce", "verifier", "/callback", "/", "openid", None, 1.0)
    fields = json.loads(transaction.to_bytes())
    del fields["acr_values"]
    assert Transaction.from_bytes(json.dumps(fields).encode()) == transaction


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"v":1}', b'{"v":4}', b'{"v":4,"sub":"x"}'])
def test_other_shape(data: bytes) -> None:
    """What is no session record is an error of its own kind."""
    with pytest.raises(RecordError):
        Session.from_bytes(data)


def test_exchanged_tokens() -> None:
    """A session of an earlier release has none; of many, the latest that are valid are kept."""
    fields = json.loads(SESSION.to_bytes())
    del fields["exchanged_tokens"]
    assert Session.from_bytes(json.dumps(fields).encode()) == SESSION
    session = SESSION
    for number in range(5):
        token = AccessToken(f"t{number}", f"name{number}", "", 9.0, 9.0 if number else 1.0)
        session = session.with_exchanged(token, now=2.0, most=3)
    assert Session.from_bytes(session.to_bytes()) == session
    assert [token.value for token in session.exchanged_tokens] == ["t2", "t3", "t4"]
    assert session.exchanged("name0") is None
    assert session.covering("name4", None) is None


def test_records_without_dpop_keys() -> None:
    """A session and a transaction that an earlier release wrote are read as without a key; a key is
    written and read, and is not in a representation."""
    token = AccessToken("value", "api", "openid", 1.0, 2.0)
    session = replace(SESSION, access_tokens=(token,))
    transaction = Transaction("nonce", "verifier", "uri", "/", "openid", None, 1.0)
    fields = json.loads(session.to_bytes())
    del fields["access_tokens"][0]["dpop_key"]
    assert Session.from_bytes(json.dumps(fields).encode()) == session
    fields = json.loads(transaction.to_bytes())
    del fields["dpop_key"]
    assert Transaction.from_bytes(json.dumps(fields).encode()) == transaction
    bound = replace(session, access_tokens=(replace(token, dpop_key="secret"),))
    opened = replace(transaction, dpop_key="secret")
    assert Session.from_bytes(bound.to_bytes()) == bound
    assert Transaction.from_bytes(opened.to_bytes()) == opened
    assert "secret" not in f"{bound!r}{opened!r}"


def test_transaction_without_kept_event() -> None:
    """A transaction that an earlier release wrote is read; what is kept in one is not in its
    representation, which may be logged."""
    transaction = Transaction("nonce", "verifier", "uri", "/", "openid", None, 1.0)
    fields = json.loads(transaction.to_bytes())
    for name in ("kept_event", "repeats", "session_id_hash"):
        del fields[name]
    assert Transaction.from_bytes(json.dumps(fields).encode()) == transaction
    kept = replace(transaction, kept_event="secret")
    assert Transaction.from_bytes(kept.to_bytes()) == kept
    assert "secret" not in repr(kept)


def test_record_without_address() -> None:
    """A session that an earlier release wrote, without the address of the login, is read."""
    fields = json.loads(SESSION.to_bytes())
    del fields["address"]
    assert Session.from_bytes(json.dumps(fields).encode()) == SESSION


def test_activity() -> None:
    """An entry that is written and read is equal in every field; another shape is an error."""
    entry = Activity("logout", "user", 1_800_000_000.25, "Firefox", "Linux", "192.0.2.1", "name")
    assert Activity.from_bytes(entry.to_bytes()) == entry
    for other in (b"{}", b"[]", b"no JSON", b'{"kind": "logout", "later": 1}'):
        with pytest.raises(RecordError):
            Activity.from_bytes(other)
