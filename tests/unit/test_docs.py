"""The documents name what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
DOCUMENTS = sorted([*(ROOT / page for page in PAGES), *(ROOT / "docs").glob("*.md")])
PATH = re.compile(
    r"`((?:app|tests|docs|assets|scripts)/[^`*:]*)(?:::\w+)?`|\]\(((?!https?:)[^)#]+)\)"
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_paths_exist(document: Path) -> None:
    """Every file or folder of the project that a document names or links to exists."""
    text = document.read_text()
    named = [ROOT / code if code else document.parent / link for code, link in PATH.findall(text)]
    assert named
    assert [path for path in named if not path.exists()] == []
