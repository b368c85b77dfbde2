"""A vocabulary as SentencePiece writes it (`spiece.model`, `tokenizer.model`), read as it lies.

Source: sentencepiece_model.proto of google/sentencepiece (the fields' names, numbers and values
where a file leaves them out) and the wire format of protocol buffers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

UNIGRAM = 1
"""How its words are cut (`TrainerSpec.model_type`): into the likeliest pieces."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}
_Fields = dict[int, list[int | bytes]]


@dataclass(frozen=True, slots=True)
class Piece:
    """`score`: its logarithm of probability, or its rank below 0. `type`: 1 of a word's part;
    others are marks."""

    piece: str
    score: float
    type: int


@dataclass(frozen=True, slots=True)
class TrainerSpec:
    """`model_type`: `UNIGRAM`, or by merges. `byte_fallback`: letters without a piece become
    bytes."""

    model_type: int = UNIGRAM
    byte_fallback: bool = False
    unk_id: int = 0
    bos_id: int = 1
    eos_id: int = 2


@dataclass(frozen=True, slots=True)
class NormalizerSpec:
    """`precompiled_charsmap`: which letters become which, as SentencePiece packs them."""

    precompiled_charsmap: bytes = b""
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All that a file says that matters to reading, by SentencePiece's own names."""

    pieces: list[Piece]
    trainer_spec: TrainerSpec = field(default_factory=TrainerSpec)
    normalizer_spec: NormalizerSpec = field(default_factory=NormalizerSpec)


def read_pieces(file: Path) -> Vocabulary:
    """The vocabulary in a file. Raises ValueError or LookupError for one that is none, or is cut
    short."""
    told = _fields(file.read_bytes())
    pieces = [_piece(_fields(data)) for data in _messages(told, 1)]
    if not pieces:
        raise ValueError("it holds no pieces")
    if not all(_messages(told, number) for number in (2, 3)):
        raise ValueError("it is cut short")
    trainer, normalizer = (_fields(b"".join(_messages(told, number))) for number in (2, 3))
    return Vocabulary(
        pieces,
        TrainerSpec(
            model_type=_number(trainer, 3, UNIGRAM),
            byte_fallback=bool(_number(trainer, 35, 0)),
            unk_id=_number(trainer, 40, 0),
            bos_id=_number(trainer, 41, 1),
            eos_id=_number(trainer, 42, 2),
        ),
        NormalizerSpec(
            precompiled_charsmap=_data(normalizer, 2),
            add_dummy_prefix=bool(_number(normalizer, 3, 1)),
            remove_extra_whitespaces=bool(_number(normalizer, 4, 1)),
        ),
    )


def _piece(told: _Fields) -> Piece:
    data = _data(told, 2) or bytes(4)
    if len(data) != 4:
        raise ValueError("it is no vocabulary of SentencePiece's")
    (score,) = struct.unpack("<f", data)
    return Piece(_data(told, 1).decode(), score, _number(told, 3, 1))


def _messages(told: _Fields, number: int) -> list[bytes]:
    return [data for data in told.get(number, ()) if isinstance(data, bytes)]


def _data(told: _Fields, number: int) -> bytes:
    return (_messages(told, number) or [b""])[-1]


def _number(told: _Fields, number: int, default: int) -> int:
    """The last one counts; those below 0 are written as their complement to 2⁶⁴."""
    value = [one for one in told.get(number, ()) if isinstance(one, int)] or [default]
    return value[-1] - (1 << 64) if value[-1] >> 63 else value[-1]


def _fields(data: bytes) -> _Fields:
    found: _Fields = {}
    for number, value in _walked(data):
        found.setdefault(number, []).append(value)
    return found


def _walked(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise ValueError("it is no vocabulary of SentencePiece's")
        if at + size > len(data):
            raise ValueError("it is cut short")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Seven bits in each byte, the lowest first; the eighth says that more follow."""
    value = shift = 0
    while shift < 64:
        if at >= len(data):
            raise ValueError("it is cut short")
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError("it is no vocabulary of SentencePiece's")
