"""The names of state trees: one for each login in each tab.

Reflex keeps a tab's states under the client token that the browser sends. That token outlives a
login, is made by `Math.random`, and stands in URLs. Reflex is therefore given another name, which
is a keyed permutation of the client token: the key belongs to one login, so the same token names
another tree for each of them, and is worth nothing without the session cookie.
"""

from __future__ import annotations

import functools
import hmac
import re
import uuid
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

CLIENT_TOKEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NOBODY = "nobody"
"""In place of a `state_key` where no user is signed in."""


class StateTrees:
    """Names state trees. `secrets` are those of the configuration, the newest first.

    The key comes from the oldest secret that is still listed, so that a rotation of secrets keeps
    open trees until the old secret is taken off the list.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secret = secrets[-1].encode()
        self._cipher = functools.lru_cache(maxsize=1000)(self._new_cipher)

    def tree_of(self, client_token: str, state_key: str) -> str:
        """The tree of the tab with this client token (a UUID), for the login with this
        `state_key`; a UUID, too."""
        encryptor = self._cipher(state_key).encryptor()
        return str(uuid.UUID(bytes=encryptor.update(uuid.UUID(client_token).bytes)))

    def client_token_of(self, tree: str, state_key: str) -> str:
        """The client token whose tree this is: `tree_of` the other way round.

        Reflex gives a duplicated tab a tree of its own, and tells the browser its name.
        """
        decryptor = self._cipher(state_key).decryptor()
        return str(uuid.UUID(bytes=decryptor.update(uuid.UUID(tree).bytes)))

    def _new_cipher(self, state_key: str) -> Cipher[ECB]:
        key = hmac.digest(self._secret, b"state tree\0" + state_key.encode(), "sha256")
        # One block of random-looking input, each under a key of its own login: no block repeats
        # that an observer could compare, which is what ECB is otherwise avoided for.
        return Cipher(AES256(key), ECB())  # noqa: S305


def is_client_token(text: str) -> bool:
    """Whether a text can be a client token as Reflex makes them (a UUID in lower case).

    Reflex keeps shared states (`rx.SharedState`) under names of the same kind. A connection that
    gave such a name for its client token would get the room for a tab of its own.
    """
    return CLIENT_TOKEN.fullmatch(text) is not None
