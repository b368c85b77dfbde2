"""The decoder: what is well-formed comes through unchanged, all else is a ProtocolError."""

from __future__ import annotations

import contextlib
import math
import random
import time

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, ProtocolError
from underpaint.wire import limits, message_types
from underpaint.wire import messages as m
from underpaint.wire.envelope import (
    Buffer,
    BufferInfo,
    Envelope,
    array_buffer,
    decode,
    encode,
    file_buffer,
    id_of,
)

FAST = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
IDS = st.from_regex(limits.ID, fullmatch=True)
TEXT = st.text(max_size=20)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXT
    | st.floats(allow_nan=False, allow_infinity=False)
)  # fmt: skip
TREES = st.recursive(
    SCALARS, lambda t: st.lists(t, max_size=4) | st.dictionaries(TEXT, t, max_size=4), max_leaves=12
)
BODIES = st.dictionaries(TEXT, TREES, max_size=5)
ARRAYS = st.builds(
    lambda dtype, shape: np.arange(math.prod(shape)).astype(dtype).reshape(shape),
    st.sampled_from(["uint8", "uint16", "int32", "float32"]),
    st.lists(st.integers(0, 4), min_size=1, max_size=4).map(tuple),
)


def buffer_of(array: np.ndarray) -> Buffer:
    info = BufferInfo("color", array.dtype.name, array.shape)
    return Buffer(info, array.reshape(-1).view(np.uint8).data)


@given(IDS, IDS, st.none() | IDS, BODIES, st.lists(ARRAYS, max_size=4))
@settings(FAST, max_examples=200)
def test_messages_come_through_unchanged(kind, id_, re, body, arrays):
    sent = Envelope(kind, id_, re, body, tuple(map(buffer_of, arrays)))
    got = decode([bytes(frame) for frame in encode(sent)])
    assert (got.type, got.id, got.re, got.body) == (kind, id_, re, body)
    for buffer, array in zip(got.buffers, arrays, strict=True):
        assert buffer.array().dtype == array.dtype
        assert np.array_equal(buffer.array(), array)


ANY_MSGPACK = st.recursive(
    SCALARS | st.binary(max_size=8) | st.floats()
    | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=4)),
    lambda t: st.lists(t, max_size=4)
    | st.dictionaries(TEXT | st.integers(-9, 9) | st.binary(max_size=3), t, max_size=4),
    max_leaves=10,
)  # fmt: skip
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "t": IDS | ANY_MSGPACK,
        "id": IDS | ANY_MSGPACK,
        "re": IDS | ANY_MSGPACK,
        "b": BODIES | ANY_MSGPACK,
        "f": ANY_MSGPACK
        | st.lists(
            st.fixed_dictionaries(
                {
                    "kind": TEXT | st.sampled_from(["depth", "mask"]),
                    "dtype": st.sampled_from(["uint8", "float32", "float64", "O"]),
                    "shape": st.lists(st.integers(-2, 2**64 - 1), max_size=6),
                }
            ),
            max_size=3,
        ),
    },
).map(lambda header: msgpack.packb(header, use_bin_type=True))
FRAMES = st.tuples(
    st.just(limits.MAGIC) | st.binary(max_size=6),
    st.binary(max_size=200) | HEADERS | ANY_MSGPACK.map(msgpack.packb),
    st.lists(st.binary(max_size=32), max_size=3),
).map(lambda parts: [parts[0], parts[1], *parts[2]])


@given(FRAMES | st.lists(st.binary(max_size=64), max_size=20))
@settings(FAST, max_examples=800)
@example([limits.MAGIC, b"\xdf\xff\xff\xff\xff"])
@example([limits.MAGIC, b"\x91" * 60000])
@example([limits.MAGIC, b"\x81\xc4\x00\xc0"])
@example([limits.MAGIC, b"\xd6\xff\x00\x00\x00\x00"])
@example([limits.MAGIC, b"\x80" * limits.MAX_HEADER])
def test_whatever_arrives_the_decoder_raises_nothing_but_protocol_errors(frames):
    found = id_of(frames)
    assert found is None or limits.ID.fullmatch(found)
    with contextlib.suppress(ProtocolError):
        assert limits.ID.fullmatch(decode(frames).type)


@given(st.sampled_from(sorted(message_types.TYPES)), BODIES)
@settings(FAST, max_examples=300)
def test_whatever_a_body_holds_parsing_raises_nothing_but_protocol_errors(kind, body):
    cls = message_types.TYPES[kind]
    wanted = dict.fromkeys(cls.__dataclass_fields__, None)
    mixed = dict(zip(wanted, body.values(), strict=False))
    for candidate in (body, mixed):
        with contextlib.suppress(ProtocolError):
            assert isinstance(message_types.parse(Envelope(kind, "i", None, candidate)), cls)


def test_damaged_golden_messages_raise_nothing_but_protocol_errors():
    """Bytes flipped, cut, doubled and put in, twenty thousand times."""
    rng, refused = random.Random(7), 0
    golden = [
        message_types.message(m.Hello("s", "c", "1")),
        message_types.message(m.JobsList(5, 2.5)),
    ]
    arrays = Buffers()
    ref = arrays.add(Kind.COLOR, np.zeros((2, 2, 3), np.uint8))
    golden.append(
        message_types.message(m.BlobPut(), buffers=(array_buffer(ref, arrays[ref.sha256]),))
    )
    originals = [[bytes(frame) for frame in encode(envelope)] for envelope in golden]
    for _ in range(20_000):
        frames = list(rng.choice(originals))
        which = rng.randrange(1, len(frames))
        data = bytearray(frames[which])
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(data) + 1)
            data[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        frames[which] = bytes(data)
        try:
            message_types.parse(decode(frames))
        except ProtocolError:
            refused += 1
    assert refused > 10_000


def header(**changes) -> bytes:
    return msgpack.packb({"t": "ping", "id": "i", "b": {}, "f": [], **changes})


def nested(depth: int) -> list:
    return [nested(depth - 1)] if depth else []


def one(**changes) -> dict:
    return {"f": [{"kind": "color", "dtype": "uint8", "shape": [2, 2, 3], **changes}]}


HUGE = memoryview(bytearray(limits.MAX_DATA_FRAME + 1))
"""Nobody reads it: the system gives no memory for it."""


@pytest.mark.parametrize(
    ("frames", "word", "code"),
    [
        ([], "0 frames", ErrorCode.PROTOCOL),
        ([limits.MAGIC], "1 frames", ErrorCode.PROTOCOL),
        ([limits.MAGIC, header(), *[b""] * 17], "19 frames", ErrorCode.PROTOCOL),
        ([b"UPT2", header()], "UPT2", ErrorCode.PROTOCOL_VERSION),
        ([limits.MAGIC, b"\x80" * 65537], "65537", ErrorCode.TOO_LARGE),
        ([limits.MAGIC, header(), HUGE], "buffer has", ErrorCode.TOO_LARGE),
        ([limits.MAGIC, header(), *[HUGE[1:]] * 3], "message has", ErrorCode.TOO_LARGE),
        ([limits.MAGIC, header()[:-1]], "not msgpack", ErrorCode.PROTOCOL),
        ([limits.MAGIC, header() + b"\x00"], "not msgpack", ErrorCode.PROTOCOL),
        ([limits.MAGIC, header(b=nested(20))], "nested deeper", ErrorCode.PROTOCOL),
        ([limits.MAGIC, header(b={"x": math.nan})], "finite", ErrorCode.PROTOCOL),
        ([limits.MAGIC, header(b={"x": list(range(5000))})], "array", ErrorCode.PROTOCOL),
        ([limits.MAGIC, header(b={"x": "é" * 20000})], "str", ErrorCode.PROTOCOL),
        ([limits.MAGIC, header(b={1: 2})], "key", ErrorCode.PROTOCOL),
        ([limits.MAGIC, b"\x82\xa1t\x01\xa1t\x02"], "twice", ErrorCode.PROTOCOL),
        ([limits.MAGIC, header(t="../x")], "header.t", ErrorCode.PROTOCOL),
        ([limits.MAGIC, header(), b"x"], "0 buffers described, 1 sent", ErrorCode.PROTOCOL),
        ([limits.MAGIC, header(**one()), b"x" * 11], "needs 12 bytes", ErrorCode.PROTOCOL),
        ([limits.MAGIC, header(**one(dtype="O")), b""], "dtype 'O'", ErrorCode.PROTOCOL),
        ([limits.MAGIC, header(**one(shape=[-1, 2])), b""], "shape", ErrorCode.PROTOCOL),
        ([limits.MAGIC, header(**one(shape=[1 << 60] * 3)), b""], "pixels", ErrorCode.TOO_LARGE),
        ([limits.MAGIC, header(**one(shape=[9000, 8000, 3])), b""], "pixels", ErrorCode.TOO_LARGE),
    ],
)
def test_each_kind_of_malformed_message_is_named(frames, word, code):
    with pytest.raises(ProtocolError, match=word) as refused:
        decode(frames)
    assert refused.value.code is code


def test_unknown_header_and_body_keys_are_ignored_and_unknown_types_are_unsupported():
    envelope = decode([limits.MAGIC, header(t="log.tail", b={"lines": 3, "later": [1]}, x=1)])
    assert message_types.parse(envelope) == m.LogTail(3)
    with pytest.raises(ProtocolError) as unknown:
        message_types.parse(decode([limits.MAGIC, header(t="teleport")]))
    assert unknown.value.code is ErrorCode.UNSUPPORTED


def test_what_would_be_refused_is_not_sent():
    with pytest.raises(ProtocolError) as long_text:
        encode(Envelope("log", "i", None, {"text": "x" * limits.MAX_HEADER}))
    assert long_text.value.code is ErrorCode.TOO_LARGE
    with pytest.raises(ProtocolError):
        encode(Envelope("log", "i", None, {"number": 2**64}))
    with pytest.raises(ProtocolError):
        encode(Envelope("log", "i", None, {}, tuple(file_buffer(b"") for _ in range(17))))


def test_arrays_are_neither_copied_on_their_way_out_nor_in():
    arrays = Buffers()
    ref = arrays.add(Kind.COLOR, np.zeros((64, 64, 4), np.uint8))
    frames = encode(
        message_types.message(m.BlobPut(), buffers=(array_buffer(ref, arrays[ref.sha256]),))
    )
    assert np.shares_memory(np.frombuffer(frames[2], np.uint8), arrays[ref.sha256])
    got = decode(frames).buffers[0]
    assert np.shares_memory(got.array(), arrays[ref.sha256])
    assert got.info.sha256 == ref.sha256


def test_a_hostile_header_is_refused_quickly():
    began = time.process_time()
    for hostile in (b"\xdc\xff\xff" + b"\x80" * 65000, b"\x80" * 65000, b"\x9f" * 60000):
        with pytest.raises(ProtocolError):
            decode([limits.MAGIC, hostile])
    assert time.process_time() - began < 0.5
