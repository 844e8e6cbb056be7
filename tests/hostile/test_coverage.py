"""The table of the OpenID Foundation's tests in the documentation, held against the tests here."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from ..servers import ROOT

TABLE = ROOT / "docs" / "openid_tests.md"
ROW = re.compile(r"^\| (\S+) \| ([^|]+) \| (?:`(\S+)::(\w+)`|not applicable: ([^|]+)) \|$")
NAME = re.compile(r"(?:oidcc-client-test|fapi2-security-profile-final-client)[\w-]*")
HERE = Path(__file__).parent


def rows() -> dict[str, tuple[str | None, str]]:
    """Each name with the file and the function that assert it; the file is None where none does."""
    lines = TABLE.read_text().splitlines()
    matches = [ROW.match(line) for line in lines if line.startswith(("| oidcc", "| fapi2"))]
    assert all(matches), "a row has another shape"
    return {m[1]: (m[3], m[4]) for m in matches if m}


def literals(file: Path) -> set[str]:
    """The texts in a module; a text that is written in two parts is one."""
    tree = ast.parse(file.read_text())
    values = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in values if isinstance(value, str)}


def functions(file: Path) -> set[str]:
    """The names of a module's functions."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, kinds)}


def test_each_row() -> None:
    """Where the table says that something is asserted, a test runs it by that name."""
    found = rows()
    assert len(found) == 90
    for name, (path, function) in found.items():
        if path is not None:
            assert function in functions(ROOT / path), name
            assert name in literals(ROOT / path), name


def test_each_case() -> None:
    """And what is asserted here by such a name is in the table, with its file."""
    found = rows()
    for file in HERE.glob("test_*.py"):
        for name in literals(file):
            if file != Path(__file__) and NAME.fullmatch(name):
                assert name in found, name
                assert found[name][0] is not None, f"{name} is said not to be applicable"
