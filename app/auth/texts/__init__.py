"""The texts that users read: of the default pages, the messages, and the backend's documents."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..errors import ConfigError
from .english import ENGLISH
from .german import GERMAN

Texts = Mapping[str, str]

_SHIPPED: Mapping[str, Texts] = {"en": ENGLISH, "de": GERMAN}


class AuthTexts:
    """The texts by language. English and German come with the layer.

    `languages` adds languages and replaces texts: `{"fr": {"log_in": "Se connecter"}}`. Its keys
    are language tags (BCP 47), the keys in each those of `ENGLISH`. A text that a language lacks is
    shown in `default`, the language for browsers that ask for none of these, or else in English.
    `only` are the tags of the languages to offer, for an app that is not in all of them.

    Raises:
        ConfigError: a text has an unknown key, or `default` or one of `only` has no texts.
    """

    def __init__(
        self,
        languages: Mapping[str, Texts] | None = None,
        *,
        default: str = "en",
        only: Collection[str] | None = None,
    ) -> None:
        added = languages or {}
        problems = [
            f'AuthTexts: "{key}" in "{language}" is not one of the texts of this layer.'
            for language, texts in added.items()
            for key in texts
            if key not in ENGLISH
        ]
        every = tuple(dict.fromkeys((*_SHIPPED, *added)))
        wanted = {default, *(every if only is None else only)}
        problems += [
            f'AuthTexts: there are no texts in "{tag}".' for tag in sorted(wanted - set(every))
        ]
        if problems:
            raise ConfigError(problems)
        self.default = default
        self.languages = tuple(tag for tag in every if tag in wanted)
        """The tags of the languages that are offered."""
        own = {tag: {**_SHIPPED.get(tag, {}), **added.get(tag, {})} for tag in every}
        self._texts = {tag: {**own["en"], **own[default], **own[tag]} for tag in self.languages}
        self._tags = {tag.lower(): tag for tag in self.languages}

    def text(self, key: str, language: str) -> str:
        """Return a text in one of the languages. Raises `KeyError` if there is no such text."""
        return self._texts[language][key]

    def choose(self, accept_language: str | None) -> str:
        """Return the language for a browser by its header `Accept-Language` (RFC 9110 section
        12.5.4), looked up as RFC 4647 section 3.4 says: `de-AT` finds `de`."""
        for wanted in _by_weight(accept_language or ""):
            parts = wanted.split("-")
            for length in range(len(parts), 0, -1):
                tag = self._tags.get("-".join(parts[:length]))
                if tag is not None:
                    return tag
        return self.default


def _by_weight(accept_language: str) -> list[str]:
    """The language ranges of the header in lower case, the one that is wanted most first."""
    ranges = []
    for part in accept_language[:1000].split(","):
        name, _, weight = part.partition(";")
        ranges.append((_weight(weight), name.strip().lower()))
    ranges.sort(key=lambda each: -each[0])  # stable: equal weights keep their order
    return [name for weight, name in ranges if weight > 0]


def _weight(text: str) -> float:
    """The number after `q=`: 1 if there is none, 0 if it is none."""
    name, _, number = text.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(number)
    except ValueError:
        return 0.0
