"""Frozen dataclass trees to plain data and back: one reflective serialiser for all requests."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from .buffers import BufferRef
from .errors import ErrorCode, RequestError
from .requests import REQUEST_KINDS, Request, Sampler, View

Plain = dict[str, Any]
T = TypeVar("T")


def to_plain(request: Request) -> Plain:
    """A request as JSON-like data: `{"kind": ..., field: ...}`; fields at their default are left
    out, so that a request reads as what was asked."""
    kind = next(name for name, cls in REQUEST_KINDS.items() if isinstance(request, cls))
    return {"kind": kind, **_dump_fields(request)}


def from_plain(data: Mapping[str, Any]) -> Request:
    """The request of `to_plain`'s data. Raises RequestError that names the wrong field."""
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in REQUEST_KINDS:
        _refuse("kind", f"is {kind!r}; expected one of {', '.join(REQUEST_KINDS)}")
    fields = {key: value for key, value in data.items() if key != "kind"}
    loaded: Request = _load(REQUEST_KINDS[kind], fields, kind)
    return loaded


def to_json(request: Request) -> str:
    """Canonical JSON: sorted keys, no spaces. Equal requests give equal bytes."""
    return json.dumps(to_plain(request), sort_keys=True, separators=(",", ":"), allow_nan=False)


def from_json(text: str) -> Request:
    """The request of `to_json`'s text. Raises RequestError."""
    return from_plain(plain_request(text))


def plain_request(text: str) -> Plain:
    """The plain data of `to_json`'s text, of whatever release. Raises RequestError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(ErrorCode.BAD_REQUEST, f"request is not JSON: {error}") from error
    if not isinstance(data, dict):
        _refuse("request", "is not a JSON object")
    plain: Plain = data
    return plain


def view_to_plain(view: View) -> Plain:
    """A view as JSON-like data, as it stands inside a request."""
    return _dump_fields(view)


def view_from_plain(data: Any) -> View:
    """The view of `view_to_plain`'s data. Raises RequestError that names the wrong field."""
    view: View = _load(View, data, "view")
    return view


def part_to_plain(part: Any) -> Plain:
    """Any frozen dataclass of these kinds as JSON-like data; fields at their default left out."""
    return _dump_fields(part)


def part_from_plain(kind: type[T], data: Any, where: str) -> T:
    """A dataclass of these kinds from JSON-like data. Raises RequestError that names the wrong
    field as part of `where`."""
    part: T = _load(kind, data, where)
    return part


def request_digest(request: Request) -> str:
    """sha256 (hex) of the canonical JSON."""
    return hashlib.sha256(to_json(request).encode()).hexdigest()


def buffer_refs(node: Any) -> tuple[BufferRef, ...]:
    """Every BufferRef in a tree, each once, in order."""
    found: dict[str, BufferRef] = {}
    _collect(node, found)
    return tuple(found.values())


def _collect(node: Any, found: dict[str, BufferRef]) -> None:
    if isinstance(node, BufferRef):
        found.setdefault(node.sha256, node)
    elif isinstance(node, tuple):
        for item in node:
            _collect(item, found)
    elif dataclasses.is_dataclass(node):
        for f in dataclasses.fields(node):
            _collect(getattr(node, f.name), found)


def _dump(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return _dump_fields(value)
    if isinstance(value, tuple):
        return [_dump(item) for item in value]
    if isinstance(value, StrEnum):
        return value.value
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> str:
    """A text that can travel. Half a character of UTF-16, or a byte that a shell could not read,
    is none."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        shown = value.encode("utf-8", "replace").decode()
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"{shown[:80]!r} holds characters that are no text, the first at {error.start}",
            hint="Type it again, or save it as UTF-8.",
        ) from error
    return value


def _dump_fields(value: Any) -> Plain:
    out: Plain = {}
    for f in dataclasses.fields(value):
        item = getattr(value, f.name)
        if item != _default(f):
            out[f.name] = _dump(item)
    return out


def _default(f: dataclasses.Field[Any]) -> Any:
    if f.default_factory is not dataclasses.MISSING:
        return f.default_factory()
    return f.default


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _load(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _load_dataclass(kind, value, where)
    origin = typing.get_origin(kind)
    if origin is tuple:
        return _load_tuple(kind, value, where)
    if origin is types.UnionType:
        return _load_optional(kind, value, where)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _load_enum(kind, value, where)
    return _load_scalar(kind, value, where)


def _load_dataclass(cls: type, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        _refuse(where, "is not an object")
    hints = _hints(cls)
    for key in value:
        if key not in hints:
            _refuse(f"{where}.{key}", f"is unknown; known are {', '.join(hints)}")
    for f in dataclasses.fields(cls):
        if _default(f) is dataclasses.MISSING and f.name not in value:
            _refuse(f"{where}.{f.name}", "is missing")
    return cls(**{k: _load(hints[k], v, f"{where}.{k}") for k, v in value.items()})


def _load_tuple(kind: Any, value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        _refuse(where, "is not a list")
    (item_kind, *_rest) = typing.get_args(kind)
    return tuple(_load(item_kind, item, f"{where}[{i}]") for i, item in enumerate(value))


def _load_optional(kind: Any, value: Any, where: str) -> Any:
    if value is None:
        return None
    (inner,) = (arg for arg in typing.get_args(kind) if arg is not type(None))
    return _load(inner, value, where)


def _load_enum(kind: type[StrEnum], value: Any, where: str) -> StrEnum:
    names = [member.value for member in kind]
    if value not in names:
        code = ErrorCode.UNKNOWN_SAMPLER if kind is Sampler else ErrorCode.BAD_REQUEST
        _refuse(where, f"is {value!r}; known are {', '.join(names)}", code)
    return kind(value)


def _load_scalar(kind: type, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        _refuse(where, f"is {value!r}; expected {kind.__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        _refuse(where, f"is {value}; expected a finite number")
    return value


def _refuse(where: str, problem: str, code: ErrorCode = ErrorCode.BAD_REQUEST) -> typing.NoReturn:
    raise RequestError(code, f"{where} {problem}")
