"""Programs of other people: whatever they say, each thing they say is answered, by its id."""

from __future__ import annotations

import math
import random

import pytest

from underpaint.errors import ErrorCode
from underpaint.requests import ImageRequest, Prompt
from underpaint.tree import to_plain
from underpaint.wire import message_types
from underpaint.wire import messages as m
from underpaint.wire.envelope import new_id
from underpaint.wire.message_types import REQUESTS, TYPES, Channel

from helpers.daemon.raw_client import Raw, refused

REQUEST = to_plain(ImageRequest(Prompt("steps=1")))
QUIET = {"preview.credit", "shutdown"}  # has no reply; ends it all
NONSENSE = (
    *(None, True, -1, 0, 2**31, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 0.0, -1e308, 5e-324),
    *("", "x", "a" * 64, "../../etc/passwd", "\0", "\ud7ff\U0001f600", "0" * 64, "soft", "now"),
    *([], {}, [[]], [""], ["0" * 64], {"": ""}, {"type": "ImageRequest"}, [None] * 99),
    *(b"bytes", math.nan, math.inf),
)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_answered_with_the_error_and_its_id(served, channel, number):
    """In a request, as a program that computes its strengths may send it."""
    request = {**REQUEST, "sampling": {**REQUEST.get("sampling", {}), "guidance": number}}
    with Raw(served, channel) as raw:
        raw.hello()
        raw.say("submit", {"job": "mine", "request": request}, "q-1")
        answer = raw.answer()
        assert answer.re == "q-1"
        error = refused(message_types.parse(answer))
        assert error.code is ErrorCode.PROTOCOL
        assert "finite" in error.message
        raw.hello()


@pytest.mark.parametrize("channel", Channel)
def test_each_piece_of_nonsense_has_its_answer(served, channel):
    """Every request that there is, 40 times, by values that no program of ours sends. (Seeded.)"""
    chance = random.Random(11)
    kinds = [name for name, cls in TYPES.items() if cls in REQUESTS[channel] - {m.Hello}]
    with Raw(served, channel) as raw:
        raw.hello()
        for kind in kinds * 40:
            fields = TYPES[kind].__dataclass_fields__
            body = {name: chance.choice(NONSENSE) for name in fields}
            body |= {"request": REQUEST} if "request" in body and chance.random() < 0.5 else {}
            if kind in QUIET:
                continue
            id_ = new_id()
            raw.say(kind, body, id_)
            answer = raw.answer(20_000)
            while answer.re is None and answer.type in ("event", "preview"):
                answer = raw.answer(20_000)
            assert answer.re == id_, (kind, body)
            if answer.type == "error":
                refused(message_types.parse(answer))


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize(
    ("kind", "body"),
    [("hello", {}), ("nobody.knows", {}), ("ping", [1]), ("ping", 5), (7, {}), (None, None)],
)
def test_headers_that_are_none_are_answered_by_their_id(served, channel, kind, body):
    with Raw(served, channel) as raw:
        raw.hello()
        raw.say(kind, body, "q-2")
        answer = raw.answer()
        assert answer.re == "q-2"
        refused(message_types.parse(answer))
