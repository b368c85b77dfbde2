"""Whatever is sent, the answer is a registered error with a hint, and the daemon lives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from underpaint.errors import (
    ConnectionLost,
    ErrorCode,
    RequestError,
    UnderpaintError,
)
from underpaint.requests import ImageRequest, Lora, Prompt
from underpaint.tree import to_plain
from underpaint.wire import message_types
from underpaint.wire import messages as m
from underpaint.wire.connection import read_connection, write_connection
from underpaint.wire.envelope import Buffer, BufferInfo, encode, new_id
from underpaint.wire.message_types import Channel
from underpaint.wire.security import new_keys

from helpers.daemon.raw_client import Raw, refused


def buffer(array: np.ndarray, kind: str, **changes) -> Buffer:
    data = array.tobytes()
    sha = hashlib.sha256(data).hexdigest()
    info = BufferInfo(kind, array.dtype.name, array.shape, sha)
    return Buffer(replace(info, **changes), data)


DEPTH = np.ones((8, 8), np.float32)
NAN = np.where(np.eye(8) > 0, np.nan, DEPTH).astype(np.float32)
BUFFERS: dict[str, tuple[Callable[[], Buffer], ErrorCode]] = {
    "NaN depth": (lambda: buffer(NAN, "depth"), ErrorCode.BAD_BUFFER),
    "negative depth": (lambda: buffer(-DEPTH, "depth"), ErrorCode.BAD_BUFFER),
    "depth of three axes": (lambda: buffer(DEPTH[:, :, None], "depth"), ErrorCode.BAD_BUFFER),
    "depth of bytes": (lambda: buffer(np.ones((8, 8), np.uint8), "depth"), ErrorCode.BAD_BUFFER),
    "five channels": (lambda: buffer(np.ones((8, 8, 5), np.uint8), "color"), ErrorCode.BAD_BUFFER),
    "an unknown kind": (lambda: buffer(DEPTH, "smell"), ErrorCode.BAD_BUFFER),
    "a wrong hash": (lambda: buffer(DEPTH, "depth", sha256="0" * 64), ErrorCode.BAD_BUFFER),
    "no hash": (lambda: buffer(DEPTH, "depth", sha256=None), ErrorCode.BAD_BUFFER),
}


@pytest.mark.parametrize("case", BUFFERS)
def test_a_bad_buffer_is_refused(served, case):
    make, code = BUFFERS[case]
    with Raw(served, Channel.DATA) as raw:
        raw.hello()
        assert refused(raw.ask(m.BlobPut(), (make(),))).code is code


GOOD = to_plain(ImageRequest(Prompt("steps=1")))
SHA = "0" * 64


def ref(**changes):
    whole = {"sha256": SHA, "kind": "color", "dtype": "uint8", "shape": [8, 8, 3]}
    return {**whole, **changes}


REQUESTS: dict[str, tuple[dict, ErrorCode]] = {
    "an unknown kind": ({"kind": "song"}, ErrorCode.BAD_REQUEST),
    "an unknown field": ({"hue": 3}, ErrorCode.BAD_REQUEST),
    "a missing prompt": ({"prompt": None}, ErrorCode.BAD_REQUEST),
    "an unknown sampler": ({"sampling": {"sampler": "dream"}}, ErrorCode.UNKNOWN_SAMPLER),
    "too many steps": ({"sampling": {"steps": 10**6}}, ErrorCode.BAD_REQUEST),
    "no steps": ({"sampling": {"steps": 0}}, ErrorCode.BAD_REQUEST),
    "a size of a stamp": ({"width": 32}, ErrorCode.BAD_REQUEST),
    "a tile that cannot be cropped": ({"width": 257, "tile": "x"}, ErrorCode.BAD_REQUEST),
    "70 megapixels": ({"width": 8400, "height": 8400}, ErrorCode.TOO_LARGE),
    "a strength of two": ({"strength": 2.0}, ErrorCode.BAD_REQUEST),
    "a control without its map": ({"controls": [{"kind": "depth"}]}, ErrorCode.BAD_REQUEST),
    "absent buffers": ({"init": ref()}, ErrorCode.MISSING_BLOBS),
    "a path for a hash": ({"init": ref(sha256="../../etc/passwd")}, ErrorCode.BAD_BUFFER),
    "a dtype of objects": ({"init": ref(dtype="object")}, ErrorCode.BAD_BUFFER),
    "a shape below zero": ({"init": ref(shape=[-8, 8, 3])}, ErrorCode.BAD_BUFFER),
    "a huge shape": ({"init": ref(shape=[2**30, 2**30, 3])}, ErrorCode.TOO_LARGE),
}


@pytest.mark.parametrize("channel", [Channel.CONTROL, Channel.DATA])
@pytest.mark.parametrize("case", REQUESTS)
def test_a_bad_request_is_refused_before_it_is_accepted(served, case, channel):
    changes, code = REQUESTS[case]
    job = new_id()
    with Raw(served, channel) as raw:
        raw.hello()
        assert refused(raw.ask(m.Submit(job, {**GOOD, **changes}))).code is code
    with Raw(served, Channel.CONTROL) as raw:
        raw.hello()
        assert refused(raw.ask(m.JobGet(job))).code is ErrorCode.JOB_UNKNOWN


def test_an_image_of_70_megapixels_is_refused_by_its_descriptor(served):
    frames = encode(message_types.message(m.BlobPut(), buffers=(buffer(DEPTH, "depth"),)))
    import msgpack

    header = msgpack.unpackb(frames[1])
    header["f"][0]["shape"] = [8400, 8400]
    with Raw(served, Channel.DATA) as raw:
        raw.hello()
        answer = raw.ask_frames([frames[0], msgpack.packb(header), frames[2]])
        assert refused(answer).code is ErrorCode.TOO_LARGE


def test_a_model_or_lora_that_is_not_there_is_refused_at_submit(tmp_path):
    from underpaint_daemon.server.config import DEFAULT_RUNNER

    from helpers.daemon.real_daemon import Daemon

    daemon = Daemon(tmp_path).start("--runner", DEFAULT_RUNNER)
    house = ImageRequest(Prompt("a house"))
    for request, code in (
        (replace(house, model="no-such-model"), ErrorCode.MODEL_MISSING),
        (replace(house, loras=(Lora("/no/such.safetensors"),)), ErrorCode.LORA_MISSING),
    ):
        with pytest.raises(UnderpaintError) as refusal:
            daemon.client().submit(request)
        assert refusal.value.code is code
    daemon.close()


HELLO = encode(message_types.message(m.Ping()))
FRAMES: dict[str, tuple[list[bytes], ErrorCode]] = {
    "another major version": ([b"UPT9", bytes(HELLO[1])], ErrorCode.PROTOCOL_VERSION),
    "a message cut short": ([bytes(HELLO[0]), bytes(HELLO[1])[:-3]], ErrorCode.PROTOCOL),
    "no header": ([bytes(HELLO[0])], ErrorCode.PROTOCOL),
    "noise": ([b"GET / HTTP/1.1", b"\xff" * 100], ErrorCode.PROTOCOL_VERSION),
    "a buffer nobody described": ([*map(bytes, HELLO), b"12345"], ErrorCode.PROTOCOL),
    "a header of a megabyte": ([bytes(HELLO[0]), b"\x80" * 10**6], ErrorCode.TOO_LARGE),
    "a thousand frames": ([bytes(HELLO[0])] * 1000, ErrorCode.PROTOCOL),
}


@pytest.mark.parametrize("channel", [Channel.CONTROL, Channel.DATA])
@pytest.mark.parametrize("case", FRAMES)
def test_broken_frames_are_answered(served, case, channel):
    frames, code = FRAMES[case]
    with Raw(served, channel) as raw:
        raw.hello()
        assert refused(raw.ask_frames(frames)).code is code
        raw.hello()  # the connection still serves


@pytest.mark.parametrize("channel", [Channel.CONTROL, Channel.DATA])
def test_hello_comes_first(served, channel):
    body = m.Ping() if channel is Channel.CONTROL else m.BlobHave((SHA,))
    with Raw(served, channel) as raw:
        assert refused(raw.ask(body)).code is ErrorCode.HELLO_REQUIRED


def test_what_belongs_on_the_other_socket_is_unsupported(served):
    with Raw(served, Channel.CONTROL) as raw:
        raw.hello()
        assert refused(raw.ask(m.BlobHave((SHA,)))).code is ErrorCode.UNSUPPORTED
    with Raw(served, Channel.DATA) as raw:
        raw.hello()
        assert refused(raw.ask(m.Ping())).code is ErrorCode.UNSUPPORTED


UNKNOWN: dict[str, tuple[Channel, m.Body, ErrorCode]] = {
    "cancel": (Channel.CONTROL, m.Cancel("nobody"), ErrorCode.JOB_UNKNOWN),
    "watch": (Channel.CONTROL, m.Watch("nobody"), ErrorCode.JOB_UNKNOWN),
    "results": (Channel.DATA, m.ResultManifest("nobody"), ErrorCode.JOB_UNKNOWN),
    "fetch": (Channel.DATA, m.ResultFetch("nobody", "image_0.png"), ErrorCode.RESULT_UNKNOWN),
    "ack": (Channel.DATA, m.ResultAck("nobody"), ErrorCode.JOB_UNKNOWN),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_jobs_and_results_that_are_not_there(served, case):
    channel, body, code = UNKNOWN[case]
    with Raw(served, channel) as raw:
        raw.hello()
        assert refused(raw.ask(body)).code is code


def test_a_wrong_key_is_told_so(served):
    import underpaint
    from underpaint.paths import Paths

    stranger = new_keys()
    real = read_connection(served.paths.connection_file)
    forged = replace(real, client_key=stranger.public, client_secret=stranger.secret)
    root = served.paths.data.parent / "stranger"
    paths = Paths(runtime=root, data=root, cache=root)
    write_connection(paths.connection_file, forged)
    with pytest.raises(ConnectionLost) as refusal:
        underpaint.connect(paths, start=False, timeout=120)
    assert refusal.value.code is ErrorCode.NOT_AUTHORISED


def test_another_address_needs_authorised_clients(idle_daemon):
    process = idle_daemon.spawn("--bind", "0.0.0.0")
    assert process.wait(300) == 2
    assert b"authorised_clients" in process.stderr.read()
    process.stderr.close()


def test_a_prompt_of_twenty_thousand_words_is_refused_for_its_words(daemon):
    up = daemon.client()
    with pytest.raises(RequestError) as refused:
        up.submit(ImageRequest(Prompt("word " * 20_000)))
    assert refused.value.code is ErrorCode.TOO_LARGE
    assert "prompt" in refused.value.hint
    assert up.submit(ImageRequest(Prompt("steps=1"))).result(300)
