"""Requests to plain data and JSON, and back."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from .buffers import BufferRef
from .errors import ErrorCode, RequestError
from .reflection import Reading, Writing, default_of, dump, load
from .requests import REQUEST_KINDS, Request, Sampler, View

Plain = dict[str, Any]
T = TypeVar("T")


UNREAD = "unread"
"""In an error's details: a request's fields or types are none that are known here, as of a newer
program's."""


def to_plain(request: Request) -> Plain:
    """A request as JSON-like data: `{"kind": ..., field: ...}`; fields at their default are left
    out, so that a request reads as what was asked."""
    kind = next(name for name, cls in REQUEST_KINDS.items() if isinstance(request, cls))
    return {"kind": kind, **_dumped(request)}


def from_plain(data: Mapping[str, Any]) -> Request:
    """The request of `to_plain`'s data. Raises RequestError that names the wrong field."""
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in REQUEST_KINDS:
        _refuse("kind", f"is {kind!r}; expected one of {', '.join(REQUEST_KINDS)}")
    fields = {key: value for key, value in data.items() if key != "kind"}
    loaded: Request = load(REQUEST_KINDS[kind], fields, kind, _READING)
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
    return _dumped(view)


def view_from_plain(data: Any) -> View:
    """The view of `view_to_plain`'s data. Raises RequestError that names the wrong field."""
    view: View = load(View, data, "view", _READING)
    return view


def part_to_plain(part: Any) -> Plain:
    """Any frozen dataclass of these kinds as JSON-like data; fields at their default left out."""
    return _dumped(part)


def part_from_plain(kind: type[T], data: Any, where: str) -> T:
    """A dataclass of these kinds from JSON-like data. Raises RequestError that names the wrong
    field as part of `where`."""
    part: T = load(kind, data, where, _READING)
    return part


def request_digest(request: Request) -> str:
    """sha256 (hex) of the canonical JSON."""
    return hashlib.sha256(to_json(request).encode()).hexdigest()


def buffer_refs(node: Any) -> tuple[BufferRef, ...]:
    """Every BufferRef in a tree, each once, in order."""
    found: dict[str, BufferRef] = {}
    _collect(node, found)
    return tuple(found.values())


def _dumped(part: Any) -> Plain:
    plain: Plain = dump(part, _WRITING)
    return plain


def _collect(node: Any, found: dict[str, BufferRef]) -> None:
    if isinstance(node, BufferRef):
        found.setdefault(node.sha256, node)
    elif isinstance(node, tuple):
        for item in node:
            _collect(item, found)
    elif dataclasses.is_dataclass(node):
        for f in dataclasses.fields(node):
            _collect(getattr(node, f.name), found)


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


def _number(where: str, value: float) -> None:
    """Raise RequestError for a number that cannot travel: none, without end, or of over 64 bits."""
    if isinstance(value, float) and not math.isfinite(value):
        _refuse(where, f"is {value}; expected a finite number")
    if not -(2**63) <= value < 2**63:
        _refuse(where, f"is {value}; expected a number of 64 bits")


def _is_default(f: dataclasses.Field[Any], item: Any) -> bool:
    return bool(item == default_of(f))


def _refuse(where: str, problem: str, kind: Any = None) -> NoReturn:
    code = ErrorCode.UNKNOWN_SAMPLER if kind is Sampler else ErrorCode.BAD_REQUEST
    raise RequestError(code, f"{where} {problem}", details={UNREAD: True})


_WRITING = Writing(_is_default, _text, _number)
_READING = Reading(_refuse, known_only=True, finite=True)
