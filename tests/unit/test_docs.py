"""The documents name what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import app.auth
import app.auth.testing

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BESIDE = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
DOCUMENTS = sorted([*(ROOT / page for page in BESIDE), *DOCS.glob("*.md")])
PATH = re.compile(
    r"`((?:app|tests|docs|assets|scripts)/[^`*:]*)(?:::\w+)?`|\]\(((?!https?:)[^)#]+)\)"
)
PAGES = {page.name for page in DOCS.glob("*.md")}
SITE = re.compile(r"^ +- .*?([\w-]+\.md)$", re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_paths_exist(document: Path) -> None:
    """Every file or folder of the project that a document names or links to exists."""
    text = document.read_text()
    named = [ROOT / code if code else document.parent / link for code, link in PATH.findall(text)]
    assert named
    assert [path for path in named if not path.exists()] == []


def test_navigation_has_every_page() -> None:
    """Every page is in the site's navigation once."""
    assert sorted(SITE.findall((ROOT / "mkdocs.yml").read_text())) == sorted(PAGES)


def test_llms_txt_has_every_page() -> None:
    """Every page is in llms.txt once, with a line about it; title and summary come first."""
    lines = (DOCS / "llms.txt").read_text().splitlines()
    assert lines[0].startswith("# ")
    assert lines[2].startswith("> ")
    links = [re.fullmatch(r"- \[[^]]+\]\((.+)\): .+", line) for line in lines if line[:2] == "- "]
    assert sorted(link[1] if link else "" for link in links) == sorted(PAGES)


def test_reference_has_every_public_name() -> None:
    """The API reference has every public name of the package and of its testing part, once."""
    names = [f"reflex_oidc.{name}" for name in app.auth.__all__]
    names += [f"reflex_oidc.testing.{name}" for name in app.auth.testing.__all__]
    listed = re.findall(r"^::: (\S+)$", (DOCS / "reference.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(names)
