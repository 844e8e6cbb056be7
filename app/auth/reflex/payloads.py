"""Checks the arguments of an event against its handler, before the handler runs.

Reflex calls a handler with any arguments that a client sends. Arguments that do not fit raise an
exception, whose traceback is logged: a client could repeat that until the disk is full.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Union

import reflex as rx
from reflex_base.utils.serializers import deserializers

from ..access.policy import Rule

try:
    from reflex_base.utils.form import FORM_DATA_ENTRIES_KEY
except ModuleNotFoundError:  # Reflex 0.10.0 sends a form as a plain object, under no such key
    FORM_DATA_ENTRIES_KEY = None  # type: ignore[assignment]

STATE = "state"  # the parameter of a check that gets the handler's State

_UNKNOWN = object()
_PLAIN = frozenset({bool, float, int, str})
_NUMBERS = frozenset({int, float})
_LISTS = frozenset(
    {list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Iterable}
)


class Parameters(NamedTuple):
    """The parameters of a handler after `self`: their types, and the names without a default."""

    types: Mapping[str, Any]
    required: frozenset[str]
    takes_any_name: bool

    def problem(self, payload: Mapping[str, Any]) -> str | None:
        """Say what is wrong with a payload, without its values; None if it fits."""
        if not self.required <= payload.keys():
            return f"it lacks {', '.join(sorted(self.required - payload.keys()))}"
        for name, value in payload.items():
            hint = self.types.get(name, _UNKNOWN)
            if type(value) is hint and hint in _PLAIN:  # as nearly always, and much faster
                continue
            if hint is _UNKNOWN:
                if not self.takes_any_name:
                    return "it has an argument that the handler does not take"
            elif not fits(value, hint):
                return f"its {name} has another type"
        return None


@functools.cache
def parameters_of(handler: Callable[..., Any]) -> Parameters:
    """Return the parameters of an event handler's function. If its annotations cannot be resolved,
    any value fits."""
    _, *parameters = inspect.signature(handler).parameters.values()
    try:
        hints = typing.get_type_hints(handler)
    except (NameError, TypeError):
        hints = {}
    named = [
        each for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    return Parameters(
        {each.name: hints.get(each.name, Any) for each in named},
        frozenset(each.name for each in named if each.default is each.empty),
        any(each.kind is each.VAR_KEYWORD for each in parameters),
    )


def require_arguments(rule: Rule, target: Any) -> None:
    """Check that an event handler has the arguments that the checks of its rule take.

    Raises:
        TypeError: it has not, or the target is a page, a State or a variable. Also if a check takes
            `state` and the handler has an argument of that name.
    """
    name = getattr(target, "__qualname__", type(target).__name__)
    if not inspect.isfunction(target) or not inspect.signature(target).parameters:
        rule.require_parameters((), f"{name}, which is no event handler,")
        return
    arguments = parameters_of(target).types
    rule.require_parameters({*arguments, STATE}, f"the event handler {name}")
    if STATE in arguments and any(STATE in check.parameters for check in rule.checks):
        raise TypeError(
            f"The event handler {name} has an argument 'state', so no check of it can take the "
            "State: rename the argument."
        )


def default_arguments(handler: Callable[..., Any]) -> dict[str, Any]:
    """The defaults of an event handler's parameters."""
    parameters = inspect.signature(handler).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}


def takes_files(handler: Callable[..., Any]) -> bool:
    """Whether an event handler is one for uploads."""
    return any(_has_files(hint) for hint in parameters_of(handler).types.values())


def _has_files(hint: Any) -> bool:
    is_file = isinstance(hint, type) and issubclass(hint, rx.UploadFile | rx.UploadChunkIterator)
    return is_file or any(_has_files(argument) for argument in typing.get_args(hint))


def fits(value: Any, hint: Any) -> bool:
    """Whether Reflex can convert a JSON value to the type `hint`. A value that has the type already
    fits: another handler may have started the event."""
    if hint is Any or isinstance(hint, typing.TypeVar):
        return True
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin is typing.Annotated:
        return fits(value, arguments[0])
    if hint is None or hint is type(None):
        return value is None
    return _fits_class(value, origin or hint, arguments)


def _fits_class(value: Any, cls: Any, arguments: Sequence[Any]) -> bool:
    if not isinstance(cls, type):
        return True  # an unknown kind of annotation
    if isinstance(value, dict):
        return _fits_object(value, cls, arguments)
    if isinstance(value, list) and cls in _LISTS:
        items = [each for each in arguments if each is not ...]
        hint = Union[tuple(items)] if items else Any  # noqa: UP007  # made at run time
        return all(fits(item, hint) for item in value)
    if cls in _NUMBERS and isinstance(value, int | float):
        is_whole = cls is float or isinstance(value, int) or value.is_integer()
        return is_whole and not isinstance(value, bool)
    if isinstance(value, str) and cls in deserializers:
        return _is_made(deserializers[cls], value)  # type: ignore[arg-type]
    if issubclass(cls, enum.Enum):
        return _is_made(cls, value)
    return isinstance(value, cls)


def _fits_object(value: dict[str, Any], cls: Any, arguments: Sequence[Any]) -> bool:
    """A JSON object: a mapping, the fields of a class, or a submitted form."""
    if FORM_DATA_ENTRIES_KEY in value and not _are_pairs(value[FORM_DATA_ENTRIES_KEY]):
        return False
    if hasattr(cls, "__required_keys__"):  # a TypedDict
        is_whole = FORM_DATA_ENTRIES_KEY in value or value.keys() >= cls.__required_keys__
        hints = typing.get_type_hints(cls)
        return is_whole and all(fits(value[name], hints[name]) for name in hints.keys() & value)
    if issubclass(cls, collections.abc.Mapping) or isinstance(value, cls):
        hint = arguments[1] if len(arguments) == 2 else Any
        return FORM_DATA_ENTRIES_KEY in value or all(fits(each, hint) for each in value.values())
    if dataclasses.is_dataclass(cls):
        return _is_made(cls, **value)  # type: ignore[arg-type]
    validate = getattr(cls, "model_validate", None)  # of Pydantic
    if validate is not None:
        return _is_made(validate, value)
    return FORM_DATA_ENTRIES_KEY in value  # Reflex converts it to its `FormData`


def _are_pairs(entries: Any) -> bool:
    return isinstance(entries, list) and all(
        isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)
        for entry in entries
    )


def _is_made(make: Callable[..., Any], /, *values: Any, **fields: Any) -> bool:
    try:
        make(*values, **fields)
    except Exception:  # a class of the app may raise anything
        return False
    return True
