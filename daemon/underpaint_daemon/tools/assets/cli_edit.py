"""The options of `underpaint texture` for a mesh that has a texture already."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from underpaint.buffers import BufferRef, Buffers, Kind
from underpaint.cli.options import pattern_of
from underpaint.errors import ErrorCode, RequestError
from underpaint.files.imagefile import read_mask, read_texels
from underpaint.files.recipe import read_recipe, recipe_request
from underpaint.requests import MeshRef, Mirror, Prompt, TextureRequest, TileImages
from underpaint_daemon.worker.texturing.surface.atlas import FIRST_TILE, tiles
from underpaint_daemon.worker.texturing.surface.mesh import Mesh

_UDIM = "<UDIM>"
_AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
Files = dict[int, Path]


def add_editing(parser: argparse.ArgumentParser) -> None:
    """Options that continue a texture, and those that shape a new one."""
    fields = TextureRequest.__dataclass_fields__
    add, which = parser.add_argument, parser.add_mutually_exclusive_group()
    add("--base", help=f"the present texture, size × size; {_UDIM} for tiles")
    told = "go on from an earlier result: its texture and its settings"
    add("--from", dest="earlier", type=Path, metavar="FOLDER", help=told)
    which.add_argument("--mask", help="white = paint only there; the rest stays, bit for bit")
    which.add_argument("--lock", help="white = keep the base there, bit for bit")
    told = "texels over which new paint fades in beside what stays"
    add("--feather", type=int, default=fields["feather"].default, help=told)
    add("--strength", type=float, default=1.0, help="below 1 restyles the base")
    told = "paint again what this view (views.json) showed best; give a --seed"
    add("--reroll", type=int, metavar="VIEW", help=told)
    told = "symmetric across the plane through the origin on this axis"
    add("--mirror", choices=sorted(_AXES), help=told)
    told = "2 = paint the views again at twice --view-size"
    add("--upscale", type=int, default=fields["upscale"].default, help=told)


def continued(folder: Path, mesh: MeshRef, prompt: Prompt, seed: int) -> TextureRequest:
    """The request of an earlier result, for the same mesh, with another seed, and another prompt
    if one is given. Raises RequestError(FILE)."""
    request = recipe_request(read_recipe(folder / "texture.json"))
    if not isinstance(request, TextureRequest):
        raise RequestError(ErrorCode.FILE, f"{folder} holds no texture")
    told = prompt if prompt.text else request.prompt
    plain = replace(request, base=None, lock=None, more_tiles=(), mesh=mesh, prompt=told)
    return replace(plain, sampling=replace(request.sampling, seed=seed))


def edited(
    request: TextureRequest, args: argparse.Namespace, mesh: Mesh, buffers: Buffers
) -> TextureRequest:
    """The request with what the editing options say. Raises RequestError."""
    numbers = tiles(mesh)
    images = _base_files(args, numbers)
    locks = _files(args.lock or args.mask, numbers)
    known = [_tile(n, images[n], locks.get(n), args, buffers) for n in numbers if n in images]
    first = next((tile for tile in known if tile.number == FIRST_TILE), None)
    if locks and not known:
        raise RequestError(
            ErrorCode.BAD_REQUEST, "--mask and --lock need a --base: the texture that stays"
        )
    return replace(
        request,
        pattern=pattern_of(args, request.pattern),
        base=None if first is None else first.base,
        lock=None if first is None else first.lock,
        more_tiles=tuple(tile for tile in known if tile.number != FIRST_TILE),
        feather=args.feather,
        strength=args.strength,
        reroll=args.reroll,
        mirror=request.mirror if args.mirror is None else Mirror(normal=_AXES[args.mirror]),
        upscale=max(request.upscale, args.upscale),
    )


def _base_files(args: argparse.Namespace, numbers: list[int]) -> Files:
    if args.base is not None or args.earlier is None:
        return _files(args.base, numbers)
    if len(numbers) == 1:
        return {numbers[0]: args.earlier / "texture.png"}
    return {number: args.earlier / f"texture_{number}.png" for number in numbers}


def _files(pattern: str | None, numbers: list[int]) -> Files:
    """The files that a path means, by tile; with <UDIM> in it those that are there."""
    if pattern is None:
        return {}
    if _UDIM not in pattern:
        return {numbers[0]: Path(pattern)}
    named = {number: Path(pattern.replace(_UDIM, str(number))) for number in numbers}
    return {number: path for number, path in named.items() if path.is_file()}


def _tile(
    number: int, base: Path, lock: Path | None, args: argparse.Namespace, buffers: Buffers
) -> TileImages:
    mask = None if lock is None else read_mask(lock)
    if mask is not None and args.mask is not None:
        mask = (255 - mask).astype(np.uint8)
    ref: BufferRef | None = None if mask is None else buffers.add(Kind.MASK, mask)
    return TileImages(number, buffers.add(Kind.COLOR, read_texels(base)), ref)
