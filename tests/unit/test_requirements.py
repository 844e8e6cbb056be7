"""What `pyproject.toml` and `requirements.txt` say of the packages that the library needs."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
DECLARED = [Requirement(text) for text in chain(PROJECT["dependencies"], *EXTRAS.values())]


@pytest.mark.parametrize(
    ("package", "extras"),
    [("app/auth", ("redis", "otel", "devices", "testing")), ("app/local_tenant", ("tenant",))],
)
def test_imports_are_declared(package: str, extras: tuple[str, ...]) -> None:
    """The wheel requires every package that its modules import, some of them in an extra."""
    texts = [*PROJECT["dependencies"], *(text for extra in extras for text in EXTRAS[extra])]
    declared = {_name(Requirement(text).name) for text in texts}
    of_module = packages_distributions()
    undeclared = {
        module
        for module in set(_imported(ROOT / package)) - sys.stdlib_module_names
        if not declared & {_name(distribution) for distribution in of_module[module]}
    }
    assert undeclared - {"reflex_base"} == set()  # a part of Reflex


@pytest.mark.parametrize("requirement", DECLARED, ids=str)
def test_pinned_version_is_in_range(requirement: Requirement) -> None:
    """`requirements.txt` pins a version that the wheel accepts."""
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.M))
    # The SDK brings the API in its own version.
    name = requirement.name.replace("opentelemetry-api", "opentelemetry-sdk")
    assert requirement.specifier.contains(pinned[name])


def _imported(package: Path) -> Iterator[str]:
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield node.module.partition(".")[0]


def _name(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()
