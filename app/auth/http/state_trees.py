"""The names of state trees: one for each login in each tab.

Reflex keeps a tab's states under the client token that the browser sends. That token outlives a
login, is made by `Math.random`, and appears in URLs. The gate therefore gives Reflex another name,
a keyed permutation of the client token. Each login has its own key, so the same token names another
tree for each login, and is worthless without the session cookie.
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
"""Takes the place of `state_key` if no user is signed in."""


class StateTrees:
    """Names state trees. `secrets` are those of the configuration, newest first.

    The key is derived from the oldest secret, so that open trees survive a rotation until the old
    secret is removed.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secret = secrets[-1].encode()
        self._cipher = functools.lru_cache(maxsize=1000)(self._new_cipher)

    def tree_of(self, client_token: str, state_key: str) -> str:
        """Return the name (a UUID) of the tree for the tab with this client token (a UUID) and the
        login with this `state_key`."""
        encryptor = self._cipher(state_key).encryptor()
        return str(uuid.UUID(bytes=encryptor.update(uuid.UUID(client_token).bytes)))

    def client_token_of(self, tree: str, state_key: str) -> str:
        """Return the client token of a tree: the inverse of `tree_of`.

        Reflex gives a duplicated tab a new tree and sends its name to the browser, which must get
        the client token instead.
        """
        decryptor = self._cipher(state_key).decryptor()
        return str(uuid.UUID(bytes=decryptor.update(uuid.UUID(tree).bytes)))

    def _new_cipher(self, state_key: str) -> Cipher[ECB]:
        key = hmac.digest(self._secret, b"state tree\0" + state_key.encode(), "sha256")
        # ECB is insecure since equal blocks show in the ciphertext. Here, the input is a single
        # block, and each login has its own key.
        return Cipher(AES256(key), ECB())  # noqa: S305


def is_client_token(text: str) -> bool:
    """Whether a text has the form of Reflex's client tokens (a UUID in lower case).

    Reflex also keeps shared states (`rx.SharedState`) under client tokens. A connection that sent
    the name of such a room as its token would get the room as its own tab.
    """
    return CLIENT_TOKEN.fullmatch(text) is not None
