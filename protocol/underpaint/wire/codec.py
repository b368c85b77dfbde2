"""Frozen dataclasses to msgpack-able maps and back, strictly typed.

The wire's counterpart of `tree`: unknown keys are ignored (a newer peer may send more), wrong
types are a ProtocolError that names the field. Field types: dataclasses, tuples, optionals,
StrEnums, scalars, `dict[str, Any]`, and `Annotated[str, pattern]` or `Annotated[int, range]`.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any, NoReturn, TypeVar

from ..errors import ProtocolError

T = TypeVar("T")


def dump(value: Any) -> Any:
    """A dataclass tree as plain data; fields that are None are left out."""
    if dataclasses.is_dataclass(value):
        fields = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: dump(item) for name, item in fields if item is not None}
    if isinstance(value, (tuple, list)):
        return [dump(item) for item in value]
    return value.value if isinstance(value, StrEnum) else value


def load(cls: type[T], data: Any, where: str) -> T:
    """The `cls` that plain data describe. Raises ProtocolError naming the wrong field."""
    if not isinstance(data, Mapping):
        _refuse(where, "is not a map")
    values = {}
    for name, kind, required in _fields(typing.cast(type, cls)):
        if name in data:
            values[name] = _value(kind, data[name], f"{where}.{name}")
        elif required:
            _refuse(f"{where}.{name}", "is missing")
    return cls(**values)


@cache
def _fields(cls: type) -> tuple[tuple[str, Any, bool], ...]:
    hints = typing.get_type_hints(cls, include_extras=True)
    missing = dataclasses.MISSING
    return tuple(
        (f.name, hints[f.name], f.default is missing and f.default_factory is missing)
        for f in dataclasses.fields(cls)
    )


def _value(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return load(kind, value, where)
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _annotated(kind, value, where)
    if origin is tuple:
        return _tuple(typing.get_args(kind)[0], value, where)
    if origin in (types.UnionType, typing.Union):
        inner = next(arg for arg in typing.get_args(kind) if arg is not type(None))
        return None if value is None else _value(inner, value, where)
    if origin is dict:
        return value if isinstance(value, dict) else _refuse(where, "is not a map")
    return _scalar(kind, value, where)


def _annotated(kind: Any, value: Any, where: str) -> Any:
    base, rule = typing.get_args(kind)
    loaded = _value(base, value, where)
    if isinstance(rule, re.Pattern):
        if not rule.fullmatch(loaded):
            _refuse(where, f"is {loaded[:80]!r}; expected {rule.pattern}")
    elif loaded not in rule:
        _refuse(where, f"is {loaded}; expected {rule.start} to {rule.stop - 1}")
    return loaded


def _tuple(kind: Any, value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        _refuse(where, "is not a list")
    return tuple(_value(kind, item, f"{where}[{i}]") for i, item in enumerate(value))


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if issubclass(kind, StrEnum):
        names = [member.value for member in kind]
        return kind(value) if value in names else _refuse(where, f"is not one of {names}")
    if kind is float and type(value) is int:
        return float(value)
    return value if type(value) is kind else _refuse(where, f"is not a {kind.__name__}")


def _refuse(where: str, problem: str) -> NoReturn:
    raise ProtocolError(f"{where} {problem}")
