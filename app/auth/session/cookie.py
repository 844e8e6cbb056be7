"""The cookie: its name, its attributes, and reading it from whatever is sent (RFC 6265)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .handle import is_session_id

_MAXIMUM_HEADER = 16 * 1024


class SessionCookie:
    """A cookie that holds a handle: HttpOnly, SameSite=Lax, for this host only.

    On https it is Secure and carries the `__Host-` prefix (RFC 6265bis section 4.1.3.2).
    """

    def __init__(self, is_https: bool, name: str) -> None:
        self.name = f"__Host-{name}" if is_https else name
        self._attributes = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if is_https else "")

    def set(self, handle: str, max_age: int) -> str:
        """The Set-Cookie value that stores `handle` for `max_age` seconds."""
        return f"{self.name}={handle}; Max-Age={max_age}{self._attributes}"

    def clear(self) -> str:
        """The Set-Cookie value that removes it."""
        return f"{self.name}=; Max-Age=0{self._attributes}"

    def read(self, header: str | None) -> str | None:
        """The handle in a Cookie header.

        None when there is none, when it cannot be a handle, when two differ (somebody planted
        one), or when the header is larger than 16 KiB.
        """
        if not header or len(header) > _MAXIMUM_HEADER:
            return None
        values = {value for name, value, _ in _pairs(header) if name == self.name}
        value = values.pop() if len(values) == 1 else ""
        return value if is_session_id(value) else None


def strip(header: str | None, names: Collection[str]) -> str | None:
    """A Cookie header without the cookies called `names`; None when nothing is left."""
    kept = [text for name, _, text in _pairs(header or "") if name not in names]
    return "; ".join(kept) or None


def _pairs(header: str) -> Iterator[tuple[str, str, str]]:
    """Name, value and the text of each pair; quotes belong to the value, as browsers have it."""
    for part in header.split(";"):
        text = part.strip()
        name, _, value = text.partition("=")
        if text:
            yield name.strip(), value.strip(), text
