"""Weights as ComfyUI quantises them: four or eight bits in blocks that each have a scale (nvfp4,
mxfp8), and whole numbers whose columns may have been turned (int8, "convrot").

Sources: comfy_kitchen, backends/eager/quantization.py (`dequantize_nvfp4`, `dequantize_mxfp8`,
`dequantize_int8_convrot_weight`) and tensor/int8_utils.py; cuBLAS' documentation, "1D Block Scaling
Factors Layout"; OCP Microscaling Formats 1.0 (E2M1, E8M0).
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from underpaint_daemon.common.contents.forms import MICRO, TURNED

_DOWN, _RIGHT = 128, 4  # scales in a tile
_CORNER = [[1, 1, 1, -1], [1, 1, -1, 1], [1, -1, 1, 1], [-1, 1, 1, 1]]


def scale_bytes(rows: int, blocks: int) -> int:
    """How many bytes the scales of so many rows and blocks in a row take: whole tiles."""
    return -(-rows // _DOWN) * _DOWN * -(-blocks // _RIGHT) * _RIGHT


def in_blocks(body: Tensor, scales: Tensor, rows: int, blocks: int) -> Tensor:
    """Blocks as they are kept in memory, each with its scale before it: uint8 (rows, bytes of a
    row). `body`: a file's bytes of the weights; `scales`: those of the scales, in tiles."""
    straight = _out_of_tiles(scales, rows, blocks)
    return torch.cat((straight[..., None], body.reshape(rows, blocks, -1)), -1).flatten(1)


def _out_of_tiles(scales: Tensor, rows: int, blocks: int) -> Tensor:
    """Scales by row and block. Tensor cores read them in tiles of 128 rows and 4 columns, in which
    row r and column c are at 16 (r mod 32) + 4 (r div 32) + c."""
    down, right = -(-rows // _DOWN), -(-blocks // _RIGHT)
    tiles = scales.reshape(down, right, _DOWN // 4, 4, _RIGHT).permute(0, 3, 2, 1, 4)
    return tiles.reshape(down * _DOWN, right * _RIGHT)[:rows, :blocks]


def numbers(data: Tensor, kind: str, scale: Tensor | None) -> Tensor:
    """Weights, float32, from data of a kind (see `FORMS`): blocks, or a byte for each weight.
    `scale`: of the whole, or of each row."""
    found = _of_blocks(data, kind) if kind in MICRO else data.view(torch.int8).to(torch.float32)
    if scale is not None:
        found *= scale
    if kind not in TURNED:
        return found
    turn = _turn(TURNED[kind], str(found.device))
    return (found.reshape(len(found), -1, len(turn)) @ turn).flatten(1)


def _of_blocks(data: Tensor, kind: str) -> Tensor:
    blocks = data.reshape(*data.shape[:-1], -1, MICRO[kind][1])
    scales, body = blocks[..., :1], blocks[..., 1:]
    if kind == "NVFP4":
        found = _four_bits(body).to(torch.float32)
        found *= scales.view(torch.float8_e4m3fn).to(torch.float32)
    else:
        found = body.view(torch.float8_e4m3fn).to(torch.float32)
        found *= (scales.to(torch.int32) << 23).view(torch.float32)  # powers of two
    return found.flatten(-2)


def _four_bits(body: Tensor) -> Tensor:
    """E2M1's numbers (0, ½, 1, 1½, 2, 3, 4, 6, and below zero) in float16, two from a byte, the
    upper half first. With their bits where float16 has its own they are 2⁻¹⁴ of what they are."""
    codes = torch.stack((body >> 4, body & 15), -1).flatten(-2).to(torch.int16)
    bits = (codes >> 3) * -(2**15) | (codes & 7) << 9
    return bits.view(torch.float16) * 2.0**14


@functools.lru_cache(8)
def _turn(group: int, device: str) -> Tensor:
    """What turns a group of columns, and turns it back: Hadamard's matrix of rows that all have the
    same sum."""
    corner = torch.tensor(_CORNER, dtype=torch.float32, device=device)
    found = corner
    while len(found) < group:
        found = torch.kron(found, corner)
    turned: Tensor = found / group**0.5
    return turned
