"""The session id, and the cookies (RFC 6265).

The browser holds the session id. The server stores only its hash, so that a copy of the store opens
no session.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{43}")
_MAXIMUM_HEADER = 16 * 1024


def new_session_id() -> str:
    """Return 256 random bits as 43 base64url characters."""
    return secrets.token_urlsafe(32)


def is_session_id(text: str) -> bool:
    """Whether a text has the form of a session id. Any other text is not looked up."""
    return _SESSION_ID.fullmatch(text) is not None


def hash_session_id(session_id: str) -> str:
    """Return the store's key for a session id: its SHA-256 in hexadecimal."""
    return hashlib.sha256(b"session\0" + session_id.encode()).hexdigest()


class SessionCookie:
    """A cookie that holds a session id: HttpOnly, SameSite=Lax, for this host only.

    On https it is Secure and carries the `__Host-` prefix (RFC 6265bis section 4.1.3.2).
    """

    def __init__(self, is_https: bool, name: str) -> None:
        self.name = f"__Host-{name}" if is_https else name
        self._attributes = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if is_https else "")

    def set(self, session_id: str, max_age: int | None) -> str:
        """The Set-Cookie value that stores `session_id` for `max_age` seconds; None stores it until
        the browser is closed."""
        age = "" if max_age is None else f"; Max-Age={max_age}"
        return f"{self.name}={session_id}{age}{self._attributes}"

    def clear(self) -> str:
        """The Set-Cookie value that removes the cookie."""
        return f"{self.name}=; Max-Age=0{self._attributes}"

    def read(self, header: str | None) -> str | None:
        """Return the session id in a Cookie header.

        None if there is none, if the value is malformed, if two cookies differ (one may be
        planted), or if the header is larger than 16 KiB.
        """
        if not header or len(header) > _MAXIMUM_HEADER:
            return None
        values = {value for name, value, _ in _pairs(header) if name == self.name}
        value = values.pop() if len(values) == 1 else ""
        return value if is_session_id(value) else None


@dataclass(frozen=True, slots=True)
class Cookies:
    """The cookies of one app: `session` holds the session id, `login` names the login attempts of
    a browser, and `browser` the browser, whose tabs follow a login together. `no_silent_login` is
    present while this browser is not to log in silently: its user has logged out, or has no session
    at the provider."""

    session: SessionCookie
    login: SessionCookie
    browser: SessionCookie
    no_silent_login: SessionCookie

    @classmethod
    def of(cls, app_base_url: str, *, is_https: bool) -> Cookies:
        """Name the cookies after port and path: browsers send them to every port of the host, and
        apps of one origin may have a path each. (`Path=` would not do with `__Host-`.)"""
        parts = urlsplit(app_base_url)
        suffix = "" if parts.port is None else f"_{parts.port}"
        suffix += parts.path.rstrip("/").replace("/", "+")
        return cls(
            *(
                SessionCookie(is_https, f"auth_{name}{suffix}")
                for name in ("session", "login", "browser", "no_silent_login")
            )
        )

    def session_id_hash(self, header: str | None) -> str | None:
        """The hash of the session id in a Cookie header; None if there is none."""
        session_id = self.session.read(header)
        return hash_session_id(session_id) if session_id else None

    @property
    def names(self) -> frozenset[str]:
        """The names of all of them."""
        every = (self.session, self.login, self.browser, self.no_silent_login)
        return frozenset(each.name for each in every)


def strip(header: str | None, names: Collection[str]) -> str | None:
    """Return a Cookie header without the cookies in `names`; None if none are left."""
    kept = [text for name, _, text in _pairs(header or "") if name not in names]
    return "; ".join(kept) or None


def _pairs(header: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and text of each pair. Quotes belong to the value, as in browsers."""
    for part in header.split(";"):
        text = part.strip()
        name, _, value = text.partition("=")
        if text:
            yield name.strip(), value.strip(), text
