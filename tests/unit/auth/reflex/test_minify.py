"""A script that cannot be minified is sent as it is."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from app.auth.reflex.minify import minify

SCRIPT = "addEventListener('click', () => {\n  console.log(1);\n});\n"


def test_without_the_bundler(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without the bundler, the script stays as it is, and the log names it: it still works."""
    script = tmp_path / "script.js"
    script.write_text(SCRIPT)
    with caplog.at_level(logging.WARNING):
        minify(script, packages=tmp_path)
    assert script.read_text() == SCRIPT
    assert "script.js is not minified" in caplog.text


def test_script_that_is_not_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A build that has put the script elsewhere goes on."""
    minify(tmp_path / "script.js", packages=tmp_path)
    assert "No such file" in caplog.text
    assert not list(tmp_path.iterdir())
