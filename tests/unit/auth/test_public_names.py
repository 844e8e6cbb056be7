"""Every public name of the layer is there and documented, for Python and for type checkers."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import sys
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import app.auth

NAMES = sorted(app.auth.__all__)
CLASSES = [name for name in NAMES if inspect.isclass(getattr(app.auth, name))]


def imports_for_type_checkers() -> dict[str, str]:
    """The module of each name that `app/auth/__init__.py` imports for type checkers."""
    tree = ast.parse(Path(app.auth.__file__).read_text())
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        alias.name: f"app.auth.{node.module}"
        for block in blocks
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@functools.cache
def tree_of(target: Any) -> ast.Module:
    """The source of the module that defines a class or a function."""
    return ast.parse(inspect.getsource(sys.modules[target.__module__]))


def class_node(cls: type) -> ast.ClassDef:
    """The source of a class."""
    nodes = ast.walk(tree_of(cls))
    return next(n for n in nodes if isinstance(n, ast.ClassDef) and n.name == cls.__name__)


def bases_of(cls: type) -> list[type]:
    """A class and those of the layer that it inherits from."""
    return [base for base in cls.__mro__ if base.__module__.startswith("app.auth.")]


def described(body: list[ast.stmt]) -> set[str]:
    """The names that are assigned in a body and have a docstring in the next line."""
    return {
        target.removeprefix("self.")
        for statement, following in itertools.pairwise(body)
        for target in targets(statement)
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
    }


def targets(node: ast.AST) -> list[str]:
    """What a statement assigns to."""
    match node:
        case ast.Assign():
            return [ast.unparse(target) for target in node.targets]
        case ast.AnnAssign():
            return [ast.unparse(node.target)]
    return []


def functions(node: ast.ClassDef) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The public functions of a class, and its constructor."""
    return [
        each
        for each in node.body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        and (each.name == "__init__" or not each.name.startswith("_"))
        and not any(ast.unparse(mark) == "overload" for mark in each.decorator_list)
    ]


def attributes(node: ast.ClassDef) -> set[str]:
    """The public attributes that a class declares, or that its constructor sets."""
    names = {target for statement in node.body for target in targets(statement)}
    for function in functions(node):
        if function.name == "__init__":
            found = {target for each in ast.walk(function) for target in targets(each)}
            names |= {name.removeprefix("self.") for name in found if name.startswith("self.")}
    return {name for name in names if not name.startswith("_")}


def raised_in(function: ast.AST) -> Iterator[str]:
    """The exceptions that a function itself raises, by name."""
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield ast.unparse(node.exc.func)


def test_one_list() -> None:
    """`__all__`, the imports for type checkers and what Python finds are the same names."""
    modules = imports_for_type_checkers()
    assert sorted(modules) == NAMES
    for name, module in modules.items():
        assert getattr(app.auth, name) is getattr(import_module(module), name)


def test_no_other_name() -> None:
    """A name that one of the modules only imports is not public."""
    with pytest.raises(AttributeError, match="dataclass"):
        app.auth.__getattr__("dataclass")


@pytest.mark.parametrize("name", NAMES)
def test_docstring(name: str) -> None:
    """Each name has a docstring of its own: a class, a function, or the text below an alias."""
    target = getattr(app.auth, name)
    if inspect.isclass(target) or inspect.isfunction(target):
        assert target.__doc__
    else:
        files = Path(app.auth.__file__).parent.rglob("*.py")
        assert any(name in described(ast.parse(file.read_text()).body) for file in files)


@pytest.mark.parametrize("name", CLASSES)
def test_methods(name: str) -> None:
    """Each public method and property has a docstring. Those of a store are in `SessionStore`."""
    store = {each.name for each in functions(class_node(app.auth.SessionStore))}
    is_store = name.endswith("SessionStore") and name != "SessionStore"
    bare = [
        function.name
        for cls in bases_of(getattr(app.auth, name))
        for function in functions(class_node(cls))
        if function.name != "__init__" and not ast.get_docstring(function)
    ]
    assert set(bare) <= (store if is_store else set())


@pytest.mark.parametrize("name", [name for name in CLASSES if name not in ("Address", "User")])
def test_attributes(name: str) -> None:
    """Each public attribute stands in the docstring of its class, or has one of its own."""
    undocumented = []
    for cls in bases_of(getattr(app.auth, name)):
        node = class_node(cls)
        texts = [ast.get_docstring(each) or "" for each in functions(node)]
        text = " ".join([*(base.__doc__ or "" for base in bases_of(cls)), *texts])
        own = described(node.body) | {
            each for function in functions(node) for each in described(function.body)
        }
        undocumented += [a for a in attributes(node) - own if f"`{a}`" not in text]
    assert undocumented == []


@pytest.mark.parametrize("name", NAMES)
def test_errors(name: str) -> None:
    """What a function or method raises itself is named in its docstring, or in its class's."""
    target = getattr(app.auth, name)
    if inspect.isclass(target):
        pairs = [
            (function, f"{ast.get_docstring(function)} {cls.__doc__ if is_constructor else ''}")
            for cls in bases_of(target)
            for function in functions(class_node(cls))
            for is_constructor in [function.name == "__init__"]
        ]
    elif inspect.isfunction(target):
        pairs = [(ast.parse(inspect.getsource(target)), target.__doc__ or "")]
    else:
        pairs = []
    missing = [error for node, text in pairs for error in raised_in(node) if error not in text]
    assert missing == []


def test_claims() -> None:
    """`User` has the standard claims of OpenID Connect Core section 5.1."""
    table = """sub name given_name family_name middle_name nickname preferred_username profile
        picture website email email_verified gender birthdate zoneinfo locale phone_number
        phone_number_verified address updated_at"""
    assert set(typing.get_type_hints(app.auth.User)) == set(table.split())
