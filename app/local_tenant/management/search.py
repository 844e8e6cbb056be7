"""The parameter `q` of a search for users: the simple part of Lucene's query syntax.

Terms `field:value`, `field:"a value"`, `field:prefix*`, `_exists_:field` or a bare value, each with
an optional `NOT` or `-`, joined by `AND` and `OR`. `AND` binds closer; terms side by side are
joined by `OR`. Parentheses, ranges and boosts are refused.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from typing import Any

from .errors import ApiError

Test = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<word>AND|OR|NOT)(?=\s|$)|(?P<minus>-)(?=\S)|
    (?:(?P<field>[A-Za-z_][\w.]*):)?(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"()\[\]{}^~:]+)))""",
    re.VERBOSE,
)
_NORMALIZED = ("email", "name", "given_name", "family_name", "nickname")


def parse(query: str) -> Test:
    """A test of a user's document.

    Raises:
        ApiError: 400, the query is not of this kind.
    """
    alternatives: list[list[Test]] = [[]]
    joined, negated, position = True, False, 0
    query = query.rstrip()
    while position < len(query):
        token = _TOKEN.match(query, position)
        if token is None:
            raise _refused(query[position : position + 20])
        position = token.end()
        word = token["word"]
        if token["minus"] or word == "NOT":
            negated = not negated
        elif word:
            if not alternatives[-1]:
                raise _refused(word)
            if word == "OR":
                alternatives.append([])
            joined = True
        else:
            if not joined:
                alternatives.append([])
            alternatives[-1].append(_term(token, negated))
            joined, negated = False, False
    if joined or negated:
        raise _refused(query[-20:])
    return lambda user: any(all(test(user) for test in tests) for tests in alternatives)


def _term(token: re.Match[str], negated: bool) -> Test:
    field = token["field"]
    is_quoted = token["quoted"] is not None
    wanted = token["quoted"] if is_quoted else token["plain"]

    def test(user: Mapping[str, Any]) -> bool:
        if field == "_exists_":
            found = _value(user, wanted) is not None
        elif field is None:
            found = any(_is(_value(user, name), wanted, is_quoted, name) for name in _NORMALIZED)
        else:
            found = _is(_value(user, field), wanted, is_quoted, field)
        return found != negated

    return test


def _value(user: Mapping[str, Any], path: str) -> Any:
    if path == "email.domain":
        return str(user.get("email", "")).partition("@")[2]
    value: Any = user
    for name in path.split("."):
        if isinstance(value, list):  # such as identities.connection
            value = next((item for item in value if isinstance(item, dict) and name in item), None)
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _is(value: Any, wanted: str, is_quoted: bool, field: str) -> bool:
    if isinstance(value, list):
        return any(_is(item, wanted, is_quoted, field) for item in value)
    if value is None or isinstance(value, dict):
        return False
    if isinstance(value, bool):
        return wanted == ("true" if value else "false")
    text = str(value)
    if field in _NORMALIZED:
        text, wanted = text.lower(), wanted.lower()
    if "*" in wanted and not is_quoted:
        pattern = "*".join(re.sub(r"([?\[\]])", r"[\1]", part) for part in wanted.split("*"))
        return fnmatch.fnmatchcase(text, pattern)
    return text == wanted


def _refused(where: str) -> ApiError:
    text = f"Query validation error: 'The query cannot be parsed near {where!r}' on property q."
    return ApiError(400, text, "invalid_query_string")
