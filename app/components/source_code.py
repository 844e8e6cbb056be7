"""Pieces of this app's own source code, highlighted when the page is compiled."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import reflex as rx
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

_APP = Path(__file__).parent.parent


def function_source(module: str, name: str) -> str:
    """The source of a function or method in `module`, a path below `app/`, with its decorators.

    Raises:
        LookupError: the module has no function of this name.
    """
    for node in ast.walk(ast.parse(_read(module))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            return _lines(module, first, node.end_lineno)
    raise LookupError(f"{module} has no function {name}.")


def call_source(module: str, name: str) -> str:
    """The source of the first call of `name` in `module`.

    Raises:
        LookupError: the module has no call of this name.
    """
    for node in ast.walk(ast.parse(_read(module))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            return _lines(module, node.lineno, node.end_lineno)
    raise LookupError(f"{module} has no call of {name}.")


def source_code(source: str, label: str) -> rx.Component:
    """The source, with a button that copies it. `label` names it for a screen reader."""
    html = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    return rx.el.div(
        rx.el.pre(
            tab_index=0,
            aria_label=label,
            role="region",
            custom_attrs={"dangerouslySetInnerHTML": {"__html": html}},
        ),
        rx.el.button(
            "Copy",
            type="button",
            class_name="button quiet small",
            aria_label=f"Copy: {label}",
            custom_attrs={"data-copy": ""},
        ),
        class_name="source",
    )


def _read(module: str) -> str:
    return (_APP / module).read_text()


def _lines(module: str, first: int, last: int | None) -> str:
    return textwrap.dedent("\n".join(_read(module).splitlines()[first - 1 : last])) + "\n"
