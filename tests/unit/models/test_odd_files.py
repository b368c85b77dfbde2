"""Models' files as they lie on disks: headers that lie, variants, links into cleared caches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.common.model_files import fingerprint, variant_of
from underpaint_daemon.common.single_files import header

GOOD = {"dtype": "F16", "shape": [2, 2], "data_offsets": [0, 8]}


def written(file: Path, entries: object, data: bytes = bytes(8)) -> Path:
    told = json.dumps(entries).encode()
    file.write_bytes(len(told).to_bytes(8, "little") + told + data)
    return file


def test_a_whole_file_is_read(tmp_path: Path):
    assert header(written(tmp_path / "a.safetensors", {"w": GOOD})) == {"w": GOOD}


@pytest.mark.parametrize(
    "entry",
    [
        {**GOOD, "shape": [4, 4]},
        {**GOOD, "shape": [-2, -2]},
        {**GOOD, "shape": ["2", "2"]},
        {**GOOD, "shape": 4},
        {**GOOD, "data_offsets": [8, 0]},
        {**GOOD, "data_offsets": [-8, 0]},
        {**GOOD, "data_offsets": [0]},
        {**GOOD, "data_offsets": [0.0, 8.0]},
        {"dtype": "F16", "data_offsets": [0, 8]},
        {"shape": [2, 2], "data_offsets": [0, 8]},
        [1, 2],
        "w",
        None,
    ],
)
def test_a_header_that_lies_is_refused_by_the_files_name(tmp_path: Path, entry: object):
    file = written(tmp_path / "my model é.safetensors", {"w": entry})
    with pytest.raises(RequestError, match="my model é") as caught:
        header(file)
    assert caught.value.code is ErrorCode.MODEL_BROKEN


@pytest.mark.parametrize(
    "data", [b"", b"\x08", bytes(8), b"\xff" * 40, b"\x09" + bytes(7) + b"[" * 9]
)
def test_what_is_no_header_is_refused(tmp_path: Path, data: bytes):
    (tmp_path / "a.safetensors").write_bytes(data)
    with pytest.raises(RequestError) as caught:
        header(tmp_path / "a.safetensors")
    assert caught.value.code is ErrorCode.MODEL_BROKEN


def test_a_header_nested_beyond_all_depth_is_refused(tmp_path: Path):
    told = b"[" * 200_000
    (tmp_path / "a.safetensors").write_bytes(len(told).to_bytes(8, "little") + told)
    with pytest.raises(RequestError):
        header(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("names", "variant"),
    [
        (["diffusion_pytorch_model.safetensors"], None),
        (["model.fp16.safetensors"], "fp16"),
        (["model.bf16.safetensors"], "bf16"),
        (["model.bf16.safetensors", "model.fp16.safetensors"], "fp16"),
        (["model.fp16.safetensors", "model.safetensors"], None),
        (["model.fp16-00001-of-00002.safetensors", "model.fp16-00002-of-00002.safetensors"],
         "fp16"),
        (["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], None),
        (["model.non_ema.safetensors", "model.safetensors"], None),
        ([], None),
    ],
)  # fmt: skip
def test_variants_are_told_by_their_names(tmp_path: Path, names: list[str], variant: str | None):
    for name in names:
        (tmp_path / name).touch()
    assert variant_of(tmp_path) == variant


def test_a_link_into_a_cleared_cache_is_as_good_as_not_there(tmp_path: Path):
    (tmp_path / "config.json").write_text("{}")
    before = fingerprint(tmp_path)
    blob = tmp_path.parent / "blob"
    blob.write_text("weights")
    (tmp_path / "model.safetensors").symlink_to(blob)
    whole = fingerprint(tmp_path)
    assert whole != before
    blob.unlink()
    assert fingerprint(tmp_path) == before
