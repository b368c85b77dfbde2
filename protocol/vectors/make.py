"""Write the golden vectors: `python protocol/vectors/make.py`.

Run it only for a new message or version. A change to a file that is already here breaks every
client in the field; the tests hold today's code to these bytes.

Each vector is a file of frames, each with its length before it as 4 bytes little-endian;
`manifest.json` says what each decodes to.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ImageRequest, Lora, Prompt, RegionPrompt
from underpaint.tree import to_plain
from underpaint.wire import message_types
from underpaint.wire import messages as m
from underpaint.wire.codec import dump
from underpaint.wire.envelope import Buffer, BufferInfo, Bytes, array_buffer, encode, file_buffer

FOLDER = Path(__file__).parent
SHA = "5d" * 32
JOB = "7f0c2a"
Vector = tuple[m.Body, tuple[Buffer, ...], str | None]
"""A message's body and buffers, and the id that it answers."""

PROGRESS = m.ProgressInfo("denoising", 3, 8, 1.25)
RUNNING = m.JobInfo(JOB, "image", m.JobState.RUNNING, 5, 1700000000.5, 1700000001.25, "a vase")
FAILED = m.JobInfo(
    JOB, "texture", m.JobState.FAILED, 9, 1700000000.5, 1700000002.0, "une théière", 2,
    PROGRESS, ("the mesh has overlapping UVs",),
    RequestError(
        ErrorCode.MODEL_MISSING, "no model 'x'",
        hint="List the models with `underpaint models list`.",
    ).to_dict(),
)  # fmt: skip
WAITING = m.JobInfo(
    JOB, "image", m.JobState.QUEUED, 1, 1700000000.5, 1700000001.25, position=1, paused=True
)
MODEL = m.ModelInfo(
    "starter",
    "sd",
    "Starter",
    ("depth", "normal"),
    ("clay",),
    256,
    samplers=("lcm", "euler"),
    defaults={
        "size": 256,
        "sampler": "lcm",
        "steps": 4,
        "guidance": 1.5,
        "controls": [{"kind": "depth"}],
    },
)
RESULT = m.FileInfo("image-0.png", "image/png", 68, SHA, {"seed": 7, "size": [256, 256]})
SHOWN = m.PictureInfo(
    JOB, "image", 1700000000.5, "image-0.png", "a vase", "starter", "Kitchen", True
)
REQUEST = {"kind": "image", "prompt": {"text": "a red clay vase"}, "batch": 2}
IN_PARTS = to_plain(
    ImageRequest(
        Prompt("a red clay vase"),
        loras=(Lora("ink"),),
        regions=(
            RegionPrompt(
                Prompt("moss", "fog"),
                object_id=3,
                name="Vase",
                loras=(Lora("clay", 0.5, ((0.0, 1.0), (1.0, 0.25))), Lora("ink", 0.0)),
            ),
            RegionPrompt(Prompt(), object_id=4, loras=(Lora("/models/loras/gold.safetensors"),)),
        ),
    )
)


def vectors() -> dict[str, Vector]:
    """Every message once."""
    plain = {message_types.type_name(body): (body, (), None) for body in _asked()}
    answers = {message_types.type_name(body): (body, (), "q1") for body in _answered()}
    return {**plain, **answers, **_with_buffers()}


def _asked() -> list[m.Body]:
    return [
        m.Hello("s1", "blender", "0.1.0", 0), m.Ping(), m.Submit(JOB, REQUEST), m.JobsList(10, 1.5),
        m.JobGet(JOB), m.Cancel(JOB, m.CancelMode.HARD), m.Watch(JOB), m.PreviewCredit(JOB, 2),
        m.ModelsList(), m.Status(), m.LogTail(20), m.Shutdown(m.ShutdownWhen.NOW),
        m.BlobHave((SHA,)), m.ResultManifest(JOB), m.ResultFetch(JOB, "image-0.png", 10, 20),
        m.ResultAck(JOB), m.Event(JOB, 6, progress=PROGRESS),
        m.GalleryList("red clay", "starter", "Kitchen", True, 12, 1.5), m.GalleryPin(JOB, False),
        m.GalleryRemove(JOB), m.ThumbnailGet(JOB, "image-0.png"),
        m.QueueList(), m.QueueMove(JOB, m.Place.UP), m.QueuePause(JOB),
        m.GpuYield(20, "Blender renders"),
    ]  # fmt: skip


def _answered() -> list[m.Body]:
    return [
        m.HelloOk("e1", 4321, "0.1.0", 0), m.Pong(2, 1), m.Accepted(RUNNING, True),
        m.Jobs((RUNNING, FAILED)), m.JobOk(FAILED, REQUEST),
        m.CancelOk(JOB, m.JobState.RUNNING), m.Snapshot(FAILED),
        m.Models((MODEL,)), m.StatusOk("e1", 4321, "0.1.0", 12.5, 2, JOB, "busy", 99, "cpu"),
        m.Log(("first", "second")), m.Bye(), m.Missing((SHA,)), m.BlobOk((SHA,)),
        m.Results(JOB, (RESULT,)), m.AckOk(JOB), m.GalleryPinOk(JOB, True), m.GalleryRemoveOk(JOB),
        m.Gallery((SHOWN,), ("starter",), ("Kitchen",)),
        m.Queue((RUNNING, WAITING), True, "Blender renders"), m.QueuePauseOk(True, JOB),
        m.QueueMoveOk(JOB, m.JobState.QUEUED, 1), m.GpuYieldOk(20),
        m.Error(RequestError(ErrorCode.MISSING_BLOBS, "1 missing", details={"missing": [SHA]})
                .to_dict()),
    ]  # fmt: skip


def _with_buffers() -> dict[str, Vector]:
    arrays = Buffers()
    refs = [
        arrays.add(Kind.DEPTH, np.array([[1.5, np.inf]], np.float32)),
        arrays.add(Kind.NORMAL, np.array([[[128, 128, 255], [128, 128, 255]]], np.uint8)),
        arrays.add(Kind.OBJECT_ID, np.array([[1, 0]], np.int32)),
    ]
    sent = tuple(array_buffer(ref, arrays[ref.sha256]) for ref in refs)
    picture = Buffer(BufferInfo("color", "uint8", (1, 2, 3)), bytes([255, 0, 0, 0, 0, 255]))
    return {
        "blob.put": (m.BlobPut(), sent, None),
        "submit-with-buffers": (m.Submit(JOB, REQUEST), sent, None),
        "submit-loras-of-parts": (m.Submit(JOB, IN_PARTS), (), None),
        "thumbnail": (m.Thumbnail(JOB, "image-0.png"), (picture,), "q1"),
        "preview": (m.Preview(JOB, 3, 8), (picture,), None),
        "result.part": (
            m.ResultPart(JOB, "image-0.png", 10, 68),
            (file_buffer(b"\x89PNG\r\n"),),
            "q1",
        ),
    }


def pack(frames: Sequence[Bytes]) -> bytes:
    """Frames as one file."""
    return b"".join(struct.pack("<I", len(frame)) + bytes(frame) for frame in frames)


def describe(body: m.Body, buffers: tuple[Buffer, ...], re: str | None) -> dict[str, Any]:
    """What the manifest says of a vector."""
    described = [{**dump(buffer.info), "hex": bytes(buffer.data).hex()} for buffer in buffers]
    return {
        "type": message_types.type_name(body),
        "re": re,
        "body": dump(body),
        "buffers": described,
    }


def main() -> None:
    """Write all files."""
    manifest = {}
    for name, (body, buffers, re) in vectors().items():
        frames = encode(
            message_types.message(body, id="q1" if re is None else "a1", re=re, buffers=buffers)
        )
        (FOLDER / f"{name}.bin").write_bytes(pack(frames))
        manifest[name] = describe(body, buffers, re)
    text = json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True)
    (FOLDER / "manifest.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
