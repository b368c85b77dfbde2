"""Frozen dataclasses to plain data and back, by their fields' types: the one codec of requests and
messages.

Field types: dataclasses, tuples, optionals, StrEnums, scalars, `dict[str, Any]`, and
`Annotated[str, pattern]` or `Annotated[int, range]`. Types are strict; an int does for a float.
"""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, NoReturn, Protocol

_SHOWN = 80


class Refuse(Protocol):
    """Raises for the field at `where`; `kind`: the type that was expected there."""

    def __call__(self, where: str, problem: str, kind: Any) -> NoReturn: ...


@dataclass(frozen=True, slots=True)
class Writing:
    """How data are written. `left_out`: whether a field of this value goes without saying; `text`:
    what becomes of a text; `check`: raises for a number, at a place, that cannot travel."""

    left_out: Callable[[dataclasses.Field[Any], Any], bool]
    text: Callable[[str], str]
    check: Callable[[str, int | float], None] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How data are read. `refuse`: raises for what is wrong. `known_only`: a key that is no field
    is wrong. `finite`: so is a float that is no finite number."""

    refuse: Refuse
    known_only: bool
    finite: bool


def dump(value: Any, writing: Writing, where: str = "") -> Any:
    """A dataclass tree as plain data; `where`: its place, for errors."""
    if dataclasses.is_dataclass(value):
        fields = ((f, getattr(value, f.name)) for f in dataclasses.fields(value))
        given = [(f.name, v) for f, v in fields if not writing.left_out(f, v)]
        return {n: dump(v, writing, f"{where}.{n}" if where else n) for n, v in given}
    if isinstance(value, (tuple, list)):
        return [dump(item, writing, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, StrEnum):
        return value.value
    if writing.check is not None and isinstance(value, (int, float)):
        writing.check(where, value)
    return writing.text(value) if isinstance(value, str) else value


def load(kind: Any, value: Any, where: str, reading: Reading) -> Any:
    """What plain data describe as a value of `kind`; `where`: its place, for errors."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _load_dataclass(kind, value, where, reading)
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _load_annotated(kind, value, where, reading)
    if origin is tuple:
        return _load_tuple(kind, value, where, reading)
    if origin in (types.UnionType, typing.Union):
        inner = next(arg for arg in typing.get_args(kind) if arg is not type(None))
        return None if value is None else load(inner, value, where, reading)
    if origin is dict:
        return value if isinstance(value, dict) else reading.refuse(where, "is not a map", kind)
    if issubclass(kind, StrEnum):
        return _load_enum(kind, value, where, reading)
    return _load_scalar(kind, value, where, reading)


def default_of(f: dataclasses.Field[Any]) -> Any:
    """A field's default; `dataclasses.MISSING` when it must be given."""
    if f.default_factory is not dataclasses.MISSING:
        return f.default_factory()
    return f.default


@cache
def _fields(cls: type) -> tuple[Mapping[str, Any], frozenset[str]]:
    """The fields' types by name, and the names of those that must be given."""
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = dataclasses.fields(cls)
    required = (f.name for f in fields if default_of(f) is dataclasses.MISSING)
    return {f.name: hints[f.name] for f in fields}, frozenset(required)


def _load_dataclass(cls: type, value: Any, where: str, reading: Reading) -> Any:
    if not isinstance(value, Mapping):
        reading.refuse(where, "is not a map", cls)
    kinds, required = _fields(cls)
    unknown = next((key for key in value if key not in kinds), None)
    if unknown is not None and reading.known_only:
        reading.refuse(f"{where}.{unknown}", f"is unknown; known are {', '.join(kinds)}", cls)
    for name in kinds:
        if name in required and name not in value:
            reading.refuse(f"{where}.{name}", "is missing", kinds[name])
    given = [(name, kind) for name, kind in kinds.items() if name in value]
    return cls(**{n: load(kind, value[n], f"{where}.{n}", reading) for n, kind in given})


def _load_annotated(kind: Any, value: Any, where: str, reading: Reading) -> Any:
    base, rule = typing.get_args(kind)
    loaded = load(base, value, where, reading)
    if isinstance(rule, re.Pattern):
        if not rule.fullmatch(loaded):
            reading.refuse(where, f"is {_shown(loaded)}; expected {rule.pattern}", kind)
    elif loaded not in rule:
        reading.refuse(where, f"is {loaded}; expected {rule.start} to {rule.stop - 1}", kind)
    return loaded


def _load_tuple(kind: Any, value: Any, where: str, reading: Reading) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        reading.refuse(where, "is not a list", kind)
    item_kind, *_rest = typing.get_args(kind)
    return tuple(load(item_kind, item, f"{where}[{i}]", reading) for i, item in enumerate(value))


def _load_enum(kind: type[StrEnum], value: Any, where: str, reading: Reading) -> StrEnum:
    names = [member.value for member in kind]
    if value not in names:
        reading.refuse(where, f"is {_shown(value)}; known are {', '.join(names)}", kind)
    return kind(value)


def _load_scalar(kind: type, value: Any, where: str, reading: Reading) -> Any:
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        reading.refuse(where, f"is {_shown(value)}; expected {kind.__name__}", kind)
    if reading.finite and isinstance(value, float) and not math.isfinite(value):
        reading.refuse(where, f"is {value}; expected a finite number", kind)
    return value


def _shown(value: Any) -> str:
    return repr(value)[:_SHOWN]
