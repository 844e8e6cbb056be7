"""The one error of URL judging."""

from __future__ import annotations


class OddURLError(ValueError):
    """The URL has something that parsers read in different ways, so it never gets a token.

    The message says what, in words that fit after "the URL ...", and quotes none of it.
    """
