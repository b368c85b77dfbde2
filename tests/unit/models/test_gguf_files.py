"""GGUF files: their headers, whole, damaged, and of something else than a transformer."""

from __future__ import annotations

import struct
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from diffusers.quantizers.gguf.utils import dequantize_functions

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint_daemon.common.contents.gguf import BLOCKS, UNREAD, gguf_header
from underpaint_daemon.common.models import family_of
from underpaint_daemon.worker.pipelines.loading.packing.packed import unpack


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(runtime=tmp_path / "run", data=tmp_path / "data", cache=tmp_path / "cache")


def packed_file(file: Path) -> Path:
    writer = gguf.GGUFWriter(file, "flux")
    writer.add_array("some.words", ["a", "b"])
    writer.add_float32("some.number", 0.5)
    kind = gguf.GGMLQuantizationType.Q4_0
    writer.add_tensor(
        "wide", gguf.quants.quantize(np.ones((3, 64), np.float32), kind), raw_dtype=kind
    )
    writer.add_tensor("plain", np.ones((2, 3), np.float16))
    writer.add_array("comfy.gguf.orig_shape.conv", [2, 3, 1, 2])
    writer.add_tensor("conv", np.ones((4, 3), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def test_a_gguf_header_is_that_of_the_formats_own_package(tmp_path: Path):
    file = packed_file(tmp_path / "a.gguf")
    found = gguf_header(file)
    assert (found["wide"]["dtype"], found["wide"]["shape"]) == ("Q4_0", [3, 64])
    assert (found["plain"]["dtype"], found["plain"]["shape"]) == ("F16", [2, 3])
    assert found["conv"]["shape"] == [2, 3, 1, 2]
    for tensor in gguf.GGUFReader(file).tensors:
        begin, end = found[tensor.name]["data_offsets"]
        assert (begin, end - begin) == (tensor.data_offset, tensor.n_bytes)


def test_blocks_are_as_the_formats_own_package_has_them():
    for kind, sizes in gguf.GGML_QUANT_SIZES.items():
        assert BLOCKS.get(kind.name, sizes) == sizes


def test_a_damaged_gguf_file_is_told_so(tmp_path: Path):
    whole = packed_file(tmp_path / "a.gguf").read_bytes()
    for length in (10, 30, 60, 200, len(whole) - 40):
        (tmp_path / "cut.gguf").write_bytes(whole[:length])
        with pytest.raises(RequestError) as told:
            gguf_header(tmp_path / "cut.gguf")
        assert told.value.code is ErrorCode.MODEL_BROKEN
    many = whole[:8] + struct.pack("<Q", 1 << 60) + whole[16:]
    (tmp_path / "many.gguf").write_bytes(many)
    with pytest.raises(RequestError, match="it claims"):
        gguf_header(tmp_path / "many.gguf")


def test_a_gguf_file_of_something_else_is_refused_as_what_it_is(paths: Paths):
    file = paths.models / "t5-v1_1-xxl-encoder-Q8_0.gguf"
    file.parent.mkdir(parents=True)
    writer = gguf.GGUFWriter(file, "t5encoder")
    writer.add_tensor("enc.blk.0.attn_q.weight", np.ones((4, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(RequestError) as told:
        family_of(paths, file.name)
    assert "is a text encoder" in told.value.message


def packed_rows(kind: gguf.GGMLQuantizationType) -> np.ndarray:
    """Blocks of a kind as a file may have them, four rows of two: any bytes, with scales that are
    numbers of a usual size."""
    chance = np.random.default_rng(5)
    _, size = gguf.GGML_QUANT_SIZES[kind]
    rows = chance.integers(0, 256, (4, 2, size), np.uint8)
    scale = np.array([0.0123], np.float16).view(np.uint8)
    for at in SCALES[kind.name]:
        rows[..., at : at + 2] = scale
    return rows.reshape(4, 2 * size)


# Where a block's half-precision scales begin (ggml-common.h), from its beginning.
SCALES = {
    "Q4_0": (0,), "Q4_1": (0, 2), "Q5_0": (0,), "Q5_1": (0, 2), "Q8_0": (0,),
    "Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,),
    "IQ4_NL": (0,), "IQ4_XS": (0,),
}  # fmt: skip


@pytest.mark.parametrize("kind", SCALES)
def test_every_kind_unpacks_as_the_formats_own_package_unpacks_it(kind: str):
    named = gguf.GGMLQuantizationType[kind]
    rows = packed_rows(named)
    expected = gguf.quants.dequantize(rows, named)
    found = unpack(torch.from_numpy(rows), kind, torch.float32).numpy()
    assert np.abs(found - expected).max() <= 1e-6 * np.abs(expected).max()
    half = unpack(torch.from_numpy(rows), kind, torch.bfloat16).float().numpy()
    assert np.abs(half - expected).max() <= 0.01 * np.abs(expected).max()


def test_kinds_that_nothing_here_unpacks_are_known_as_such():
    assert BLOCKS.keys() - UNREAD == set(SCALES)
    assert {kind.name for kind in dequantize_functions} & BLOCKS.keys() == set(SCALES)
