"""Refuses private names of other packages in `app/`: they can be gone in the next version.

    python scripts/check_private_names.py [ROOT]

A name with one leading underscore belongs to another package unless the same file defines it, or a
file of the project that it imports. The seams below may use such names.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

SEAMS = (
    "app/auth/reflex/reflex_seam.py",  # Reflex: what it has no public way for, each with its reason
    "app/auth/http/rate_limiting.py",  # throttled: its Redis client has no public `close`
    "app/local_tenant/refresh_grant.py",  # Authlib: the steps of its refresh token grant
)
PACKAGE = "app"
WAY_OUT = (
    "Use a public way; if there is none, move the use to a seam"
    f" ({', '.join(SEAMS)}) and say there what it is for."
)
# Documented names of the standard library that have an underscore so as not to clash with fields.
DOCUMENTED = frozenset({"_asdict", "_field_defaults", "_fields", "_make", "_replace"})
BY_STRING = frozenset({"getattr", "setattr", "delattr", "hasattr", "attrgetter", "methodcaller"})
METHOD_ASSIGN = re.compile(r"#\s*type:\s*ignore\[[^]]*\bmethod-assign\b")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def main(root: Path) -> int:
    """Print every problem; the exit status says whether there is one."""
    problems = list(check(root))
    print("\n".join(problems), end="\n" if problems else "")  # noqa: T201
    return 1 if problems else 0


def check(root: Path) -> Iterator[str]:
    """One line for each use of a private name of another package."""
    trees = {path: ast.parse(path.read_text()) for path in sorted((root / PACKAGE).rglob("*.py"))}
    defined = {path: set(_definitions(path, tree)) for path, tree in trees.items()}
    for path, tree in trees.items():
        name = path.relative_to(root).as_posix()
        if name in SEAMS:
            continue
        within_reach = defined[path].union(
            *(defined[other] for other in _imported(root, path, tree) if other in defined)
        )
        for line, used in _foreign_names(tree, within_reach):
            yield f"{name}:{line}: {used!r} is a private name of another package. {WAY_OUT}"
        for line, text in enumerate(path.read_text().splitlines(), start=1):
            if METHOD_ASSIGN.search(text):
                yield (
                    f"{name}:{line}: 'method-assign' is ignored: a method of a live object is"
                    f" replaced. {WAY_OUT}"
                )


def is_private(name: str) -> bool:
    """Whether it begins with an underscore and does not end in one, as `__init__` does."""
    return name.startswith("_") and not name.endswith("_") and name not in DOCUMENTED


def _definitions(path: Path, tree: ast.Module) -> Iterator[str]:
    """What a module defines: functions, classes, parameters, variables of modules and classes,
    attributes that a method assigns to its own object, slots, and the module itself."""
    yield path.stem
    for node in ast.walk(tree):
        if isinstance(node, Function | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Attribute) and _is_assigned_to_self(node):
            yield node.attr
        if isinstance(node, ast.Module | ast.ClassDef):
            yield from _variables(node.body)


def _variables(body: Iterable[ast.stmt]) -> Iterator[str]:
    """The names that these statements assign, but not those in functions and classes in them."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, Function | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        if isinstance(node, ast.Assign) and _names_slots(node):
            yield from _strings(ast.walk(node.value))
        pending.extend(ast.iter_child_nodes(node))


def _names_slots(node: ast.Assign) -> bool:
    return any(isinstance(name, ast.Name) and name.id == "__slots__" for name in node.targets)


def _imported(root: Path, path: Path, tree: ast.Module) -> Iterator[Path]:
    """The files of the project that a module imports, all of a package's if it imports that."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            folder = path.parents[node.level - 1] if node.level else root
            module = folder.joinpath(*(node.module or "").split("."))
            yield from _files(module)
            for alias in node.names:
                yield from _files(module / alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(root.joinpath(*alias.name.split(".")))


def _files(module: Path) -> Iterator[Path]:
    yield module.with_suffix(".py")
    if (module / "__init__.py").exists():
        yield from module.glob("*.py")


def _foreign_names(tree: ast.Module, known: set[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        for name in _uses(node):
            if is_private(name) and name not in known:
                yield getattr(node, "lineno", 0), name


def _uses(node: ast.AST) -> Iterator[str]:
    """The names that a node looks up on an object or in a module."""
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Import):
        for alias in node.names:
            yield from alias.name.split(".")
    elif isinstance(node, ast.ImportFrom):
        if not node.level:
            yield from (node.module or "").split(".")
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.Call):
        yield from _call_uses(node)
    elif isinstance(node, ast.Subscript) and _is_namespace(node.value):
        yield from _strings([node.slice])


def _call_uses(node: ast.Call) -> Iterator[str]:
    """Names in strings, as in `getattr(x, "_y")` and `x.__dict__.get("_y")`, and of arguments."""
    yield from (keyword.arg for keyword in node.keywords if keyword.arg)
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in BY_STRING:
        yield from _strings(node.args)
    elif isinstance(function, ast.Attribute) and _is_namespace(function.value):
        yield from _strings(node.args[:1])


def _is_namespace(node: ast.expr) -> bool:
    """Whether it is `x.__dict__` or `vars(x)`."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "vars"
    return isinstance(node, ast.Attribute) and node.attr == "__dict__"


def _is_assigned_to_self(node: ast.Attribute) -> bool:
    owner = node.value
    is_self = isinstance(owner, ast.Name) and owner.id in {"self", "cls"}
    return is_self and isinstance(node.ctx, ast.Store)


def _strings(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if sys.argv[1:] else ".")))
