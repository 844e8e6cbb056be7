"""What `requirements.txt` says of itself."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OPTIONAL = {"opentelemetry"}


def test_auth_layer() -> None:
    """Its first part has every package that the auth layer imports, so that it can be lifted."""
    lines = (ROOT / "requirements.txt").read_text().split("# --- ")[1].splitlines()
    listed = {_name(line.partition("==")[0]) for line in lines if "==" in line}
    of_module = packages_distributions()
    missing = {
        module
        for module in set(_imported(ROOT / "app/auth")) - sys.stdlib_module_names - OPTIONAL
        if not listed & {_name(package) for package in of_module[module]}
    }
    assert missing - {"reflex_base"} == set()  # a part of Reflex


def _imported(package: Path) -> Iterator[str]:
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield node.module.partition(".")[0]


def _name(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()
