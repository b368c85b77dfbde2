"""The golden bytes: what was said on the wire once is understood for good."""

from __future__ import annotations

import json
import re
import struct
from dataclasses import fields
from pathlib import Path

import pytest

from underpaint.wire import limits, message_types
from underpaint.wire import messages as m
from underpaint.wire.codec import dump
from underpaint.wire.envelope import decode, encode

PROTOCOL = Path(__file__).parents[2] / "protocol"
VECTORS = PROTOCOL / "vectors"
MANIFEST = json.loads((VECTORS / "manifest.json").read_text(encoding="utf-8"))


def frames_of(name: str) -> list[bytes]:
    data, frames, at = (VECTORS / f"{name}.bin").read_bytes(), [], 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        frames.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return frames


@pytest.mark.parametrize("name", sorted(MANIFEST))
def test_a_golden_message_decodes_to_what_it_meant_and_encodes_to_the_same_bytes(name):
    expected = MANIFEST[name]
    envelope = decode(frames_of(name))
    body = message_types.parse(envelope)
    described = [{**dump(b.info), "hex": bytes(b.data).hex()} for b in envelope.buffers]
    assert envelope.type == expected["type"]
    assert envelope.re == expected["re"]
    assert dump(body) == expected["body"]
    assert described == expected["buffers"]
    again = message_types.message(body, id=envelope.id, re=envelope.re, buffers=envelope.buffers)
    assert encode(again) == frames_of(name)


def test_every_message_has_a_golden_vector():
    assert {entry["type"] for entry in MANIFEST.values()} == set(message_types.TYPES)
    assert {path.stem for path in VECTORS.glob("*.bin")} == set(MANIFEST)


def _table(heading: str) -> list[list[str]]:
    spec = (PROTOCOL / "SPEC.md").read_text(encoding="utf-8")
    lines = spec[spec.index(heading) :].splitlines()[2:]
    rows = lines[: next(i for i, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def _keys(cls: type) -> set[str]:
    return {f.name for f in fields(cls)}


def _said_keys(cell: str) -> set[str]:
    # Values in round brackets are no keys.
    return set(re.findall(r"`(\w+)\??`", re.sub(r"\([^)]*\)", "", cell)))


def test_the_specification_lists_just_the_messages_of_the_code():
    said: dict[message_types.Channel, set[str]] = {
        channel: set() for channel in message_types.Channel
    }
    replies = set()
    for request, sockets, body, reply, reply_body in _table("| request (client"):
        name = request.strip("`")
        for channel in message_types.Channel:
            if channel.value in sockets:
                said[channel].add(name)
        assert _said_keys(body) == _keys(message_types.TYPES[name]), name
        if reply != "none":
            replies.add(reply.strip("`"))
            assert _said_keys(reply_body) == _keys(message_types.TYPES[reply.strip("`")]), reply
    unasked = {row[0].strip("`"): _said_keys(row[2]) for row in _table("| unasked")}
    assert said == {
        channel: {
            name
            for name, cls in message_types.TYPES.items()
            if cls in message_types.REQUESTS[channel]
        }
        for channel in message_types.Channel
    }
    assert unasked == {"event": _keys(m.Event), "preview": _keys(m.Preview)}
    requests = said[message_types.Channel.CONTROL] | said[message_types.Channel.DATA]
    assert requests | replies | set(unasked) | {"error"} == set(message_types.TYPES)


def test_the_specification_says_the_limits_of_the_code():
    spec = (PROTOCOL / "SPEC.md").read_text(encoding="utf-8")
    assert f"version {limits.MAJOR}.{limits.MINOR}" in spec
    for text in (
        f"buffers {limits.MAX_BUFFERS}; one buffer {limits.MAX_DATA_FRAME // limits.MIB} MiB",
        f"at most {limits.MAX_HEADER} bytes",
        f"array {limits.MAX_ARRAY}, map {limits.MAX_MAP}",
        f"nesting {limits.MAX_DEPTH}",
        f"text {limits.MAX_STRING // limits.KIB} KiB",
        f"time-out {limits.HEARTBEAT_TIMEOUT_MS} ms",
        limits.ID.pattern,
        limits.MAGIC.decode(),
    ):
        assert text in " ".join(spec.split()), text
