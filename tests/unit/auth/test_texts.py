"""The texts in several languages, and which of them a browser gets."""

from __future__ import annotations

import pytest

from app.auth import AuthTexts, ConfigError
from app.auth.texts.english import ENGLISH
from app.auth.texts.german import GERMAN


def test_translated() -> None:
    """Each text is there in English and in German, with the same placeholders."""
    assert GERMAN.keys() == ENGLISH.keys()
    for key, text in ENGLISH.items():
        for placeholder in ("{seconds}", "{error_id}"):
            assert (placeholder in text) == (placeholder in GERMAN[key])


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-AT,en;q=0.8", "de"),
        ("en-US,de;q=0.9", "en"),
        ("fr,DE;q=0.5,en;q=0.4", "de"),
        ("de;q=0.2,en;q=0.7", "en"),
        ("de;q=0,fr", "en"),
        ("pt-br,de", "pt-BR"),
        ("pt-PT", "en"),
        ("de;q=x,en;q=nan", "en"),
        (",;q=1,*", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_choice(header: str | None, language: str) -> None:
    """A browser gets the first language of its header that there is, or else the default."""
    assert AuthTexts({"pt-BR": {"log_in": "Entrar"}}).choose(header) == language


def test_another_language() -> None:
    """A language is a dictionary. What it lacks is there in the default language."""
    texts = AuthTexts({"fr": {"log_in": "Se connecter"}, "en": {"log_in": "Sign in"}}, default="de")
    assert texts.languages == ("en", "de", "fr")
    assert texts.text("log_in", "fr") == "Se connecter"
    assert texts.text("log_in", "en") == "Sign in"
    assert texts.text("log_out", "fr") == GERMAN["log_out"]
    assert texts.choose("it") == "de"


def test_one_language() -> None:
    """An app that is in one language offers no other, whatever the browser asks for."""
    texts = AuthTexts({"fr": {}}, only=["en"])
    assert texts.languages == ("en",)
    assert texts.choose("de,fr") == "en"
    assert AuthTexts(default="de", only=[]).languages == ("de",)


def test_unknown() -> None:
    """A key that does not exist, or a default without texts, is named."""
    with pytest.raises(ConfigError) as caught:
        AuthTexts({"fr": {"login": "Se connecter"}}, default="it")
    assert [problem.partition(" ")[2] for problem in caught.value.problems] == [
        '"login" in "fr" is not one of the texts of this layer.',
        'there are no texts in "it".',
    ]
