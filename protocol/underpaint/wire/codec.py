"""Messages to msgpack-able maps and back.

Unknown keys are ignored (a newer peer may send more); wrong types are a ProtocolError that names
the field.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from .. import reflection
from ..errors import ProtocolError

T = TypeVar("T")


def _refuse(where: str, problem: str, kind: Any) -> NoReturn:
    del kind
    raise ProtocolError(f"{where} {problem}")


_WRITING = reflection.Writing(left_out=lambda _field, item: item is None, text=str)
_READING = reflection.Reading(_refuse, known_only=False, finite=False)


def dump(value: Any) -> Any:
    """A dataclass tree as plain data; fields that are None are left out."""
    return reflection.dump(value, _WRITING)


def load(cls: type[T], data: Any, where: str) -> T:
    """The `cls` that plain data describe. Raises ProtocolError naming the wrong field."""
    loaded: T = reflection.load(cls, data, where, _READING)
    return loaded
