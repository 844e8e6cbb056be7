"""The names of state trees: a keyed permutation of client tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth.http.state_trees import NOBODY, StateTrees, is_client_token

TREES = StateTrees(("secret",))
TOKEN = "0f0e0d0c-0b0a-4900-8800-070605040302"

tokens = st.uuids().map(str)
state_keys = st.text("0123456789abcdef", min_size=32, max_size=32) | st.just(NOBODY)


@given(tokens, state_keys)
def test_inverse(token: str, state_key: str) -> None:
    """`client_token_of` gives back each client token that `tree_of` was given, and a tree is a name
    that Reflex takes for a client token."""
    tree = TREES.tree_of(token, state_key)
    assert is_client_token(tree)
    assert TREES.client_token_of(tree, state_key) == token


@given(tokens, state_keys)
def test_each_tree_has_a_client_token(tree: str, state_key: str) -> None:
    """A tree that Reflex names itself, as for a duplicated tab, is the tree of the client token
    that the browser is told."""
    assert TREES.tree_of(TREES.client_token_of(tree, state_key), state_key) == tree


@given(st.sets(tokens, min_size=2, max_size=50), state_keys)
def test_no_two_tabs_share_a_tree(some: set[str], state_key: str) -> None:
    """Within a login, each client token has a tree of its own, which is not its name."""
    trees = {TREES.tree_of(token, state_key) for token in some}
    assert len(trees) == len(some)
    assert not trees & some


@given(tokens, st.sets(state_keys, min_size=2, max_size=20))
def test_no_two_logins_share_a_tree(token: str, keys: set[str]) -> None:
    """One client token names another tree for each login, and for no user."""
    assert len({TREES.tree_of(token, key) for key in keys}) == len(keys)


@given(tokens, state_keys)
def test_another_secret(token: str, state_key: str) -> None:
    """Without the secret the tree of a client token cannot be computed."""
    assert StateTrees(("another",)).tree_of(token, state_key) != TREES.tree_of(token, state_key)


@given(tokens, state_keys)
def test_rotation(token: str, state_key: str) -> None:
    """A new secret in front of the old one leaves open trees as they are, in either process; once
    the old one is gone they have other names."""
    old, rotated = StateTrees(("old",)), StateTrees(("new", "old"))
    assert rotated.tree_of(token, state_key) == old.tree_of(token, state_key)
    assert StateTrees(("new",)).tree_of(token, state_key) != old.tree_of(token, state_key)


def test_name_over_restarts() -> None:
    """The name of a tree depends on nothing but secret, login and client token: a restart with
    another version of this layer keeps open trees."""
    assert TREES.tree_of(TOKEN, NOBODY) == "769bcc7a-4698-8087-95c5-270bb4e16e32"


@given(tokens)
def test_client_token(token: str) -> None:
    """What Reflex's client makes is a client token."""
    assert is_client_token(token)


@pytest.mark.parametrize(
    "text",
    [
        *("", TOKEN.upper(), TOKEN.replace("-", ""), f"{{{TOKEN}}}", f"urn:uuid:{TOKEN}"),
        *(f"{TOKEN}\n", f" {TOKEN}", f"{TOKEN}_room", TOKEN[:-1], TOKEN + "0", "room"),
        *(TOKEN.replace("0", "٠"), TOKEN.replace("-", "_"), TOKEN.replace("f", "g")),
    ],
)
def test_no_client_token(text: str) -> None:
    """A shared state's name, and any other spelling of a UUID, is refused."""
    assert not is_client_token(text)
