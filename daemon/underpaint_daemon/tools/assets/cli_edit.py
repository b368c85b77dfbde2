"""The options of `underpaint texture` for a mesh that has a texture already."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.buffers import BufferRef, Buffers, Kind
from underpaint.cli.options import (
    chosen,
    grouped,
    loras_of,
    path_of,
    pattern_of,
    pbr_of,
    sampling_of,
)
from underpaint.cli.output import picture
from underpaint.cli.parts.controls import controls_of
from underpaint.cli.parts.references import references_of
from underpaint.errors import ErrorCode, RequestError, why
from underpaint.files.imagefile import read_mask, read_texels
from underpaint.files.recipe import read_recipe, recipe_request
from underpaint.paths import is_file
from underpaint.requests import (
    MeshRef,
    Method,
    Mirror,
    Sampling,
    TextureRequest,
    TileImages,
)

from ..meshes.files import MeshFile
from ..meshes.layout import FIRST_TILE, tile_numbers
from .cli_results import UNWRAPPED, read_uvs
from .folder import Asset

_UDIM = "<UDIM>"
_AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
Files = dict[int, Path]
Array = npt.NDArray[Any]
_SAMPLING = ("sampler", "steps", "guidance", "seed")
_VIEWS = ("method", "views", "view_size")
"""What the views that an earlier run numbered depend on."""


def add_editing(parser: argparse.ArgumentParser) -> None:
    """Options that continue a texture, and those that shape a new one."""
    fields = TextureRequest.__dataclass_fields__
    group = grouped(parser, "going on from a texture, and how it is laid")
    add, which = group.add_argument, group.add_mutually_exclusive_group()
    add("--base", help=f"the present texture, size × size; {_UDIM} for tiles")
    told = "go on from an earlier result: its texture and its settings"
    add("--from", dest="earlier", type=path_of, metavar="FOLDER", help=told)
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


def continued(
    args: argparse.Namespace, mesh: MeshRef, asset: Asset, buffers: Buffers
) -> TextureRequest:
    """The request of the earlier result that `--from` names, with what else is given in place of
    what it had. Raises RequestError: FILE, or BAD_REQUEST for what cannot be changed."""
    folder, given = args.earlier, args.given
    if not is_file(folder / "texture.json"):
        raise RequestError(
            ErrorCode.FILE,
            f"{folder} holds no results of `underpaint texture`: there is no texture.json in it",
            hint="Give the folder of one mesh's results to --from.",
        )
    earlier = recipe_request(read_recipe(folder / "texture.json"))
    if not isinstance(earlier, TextureRequest):
        raise RequestError(ErrorCode.FILE, f"{folder} holds no texture")
    _refuse_fixed(args, earlier)
    told = replace(
        earlier.prompt,
        text=asset.prompt.text or earlier.prompt.text,
        negative=asset.prompt.negative or earlier.prompt.negative,
    )
    request = replace(earlier, base=None, lock=None, more_tiles=(), mesh=mesh, prompt=told)
    request = replace(request, sampling=_sampling(args, earlier, asset.seed))
    if given & {"pbr", "pbr_model", "pbr_normal_model"}:
        request = replace(request, pbr=pbr_of(args))
    return replace(
        request,
        model=args.model if "model" in given else request.model,
        method=chosen(Method, "--method", args.method) if "method" in given else request.method,
        controls=controls_of(args.control, buffers) if "control" in given else request.controls,
        view_count=args.views if "views" in given else request.view_count,
        view_size=args.view_size if "view_size" in given else request.view_size,
        loras=loras_of(args) if "lora" in given else request.loras,
        references=references_of(args, buffers) if "reference" in given else request.references,
    )


@contextmanager
def pictures_kept(earlier: Path | None) -> Iterator[None]:
    """A daemon that has let go of an earlier run's pictures says which words bring them back."""
    try:
        yield
    except RequestError as error:
        if earlier is None or error.code is not ErrorCode.MISSING_BLOBS:
            raise
        raise RequestError(
            ErrorCode.MISSING_BLOBS,
            f"the pictures that {earlier} was painted after are not kept any longer",
            hint="Give them again (--reference ROLE=IMAGE, --control KIND=IMAGE), or --reference "
            "none and --control none.",
        ) from error


def _refuse_fixed(args: argparse.Namespace, earlier: TextureRequest) -> None:
    if args.size != earlier.size and "size" in args.given:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"--size {args.size}: the texture of {args.earlier} has {earlier.size} texels a side",
            hint="Leave out --size, or paint anew without --from.",
        )
    changed = [name for name in _VIEWS if name in args.given]
    if args.reroll is not None and changed:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"--reroll names a view of the earlier run: --{changed[0].replace('_', '-')} would "
            "make others",
            hint="Leave that option out.",
        )


def _sampling(args: argparse.Namespace, earlier: TextureRequest, seed: int) -> Sampling:
    """The earlier sampling; that of another model, if one is given; and what is given of it."""
    usual = sampling_of(args, seed)
    if "model" in args.given:
        return usual
    fields = {name: getattr(usual, name) for name in _SAMPLING if name in args.given}
    return replace(earlier.sampling, **fields)


def with_earlier_uvs(file: MeshFile, folder: Path | None) -> MeshFile:
    """The mesh with the UVs that an earlier run made for it, if it did."""
    if folder is None or not file.corners.bare.any() or not (folder / UNWRAPPED).is_file():
        return file
    try:
        uv = read_uvs((folder / UNWRAPPED).read_bytes())
    except (OSError, ValueError, KeyError) as error:
        raise RequestError(
            ErrorCode.FILE, f"{folder / UNWRAPPED} cannot be read: {why(error)}"
        ) from error
    if uv.shape != file.corners.uv.shape:
        raise RequestError(
            ErrorCode.FILE,
            f"{folder} was painted on another mesh: {len(uv) // 3} triangles, not "
            f"{file.corners.triangles}",
            hint="Give the mesh that was painted, or paint anew without --from.",
        )
    bare = file.corners.bare
    corners = replace(file.corners, uv=uv, bare=np.zeros(len(bare), bool))
    return replace(file, corners=corners, uvs_made=bare)


def edited(
    request: TextureRequest, args: argparse.Namespace, uv: Array, buffers: Buffers
) -> TextureRequest:
    """The request with what the editing options say, for a mesh with UVs (3L, 2). Raises
    RequestError."""
    numbers = [int(number) for number in np.unique(tile_numbers(uv))]
    images = _base_files(args, numbers)
    locks = _files(args.lock or args.mask, numbers)
    known = [
        _tile(n, images[n], locks.get(n), args, request.size, buffers)
        for n in numbers
        if n in images
    ]
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
        feather=args.feather if "feather" in args.given else request.feather,
        strength=args.strength,
        reroll=args.reroll,
        mirror=request.mirror if args.mirror is None else Mirror(normal=_AXES[args.mirror]),
        upscale=args.upscale if "upscale" in args.given else request.upscale,
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
    number: int,
    base: Path,
    lock: Path | None,
    args: argparse.Namespace,
    size: int,
    buffers: Buffers,
) -> TileImages:
    texels = picture(base, read_texels)
    _check_size(base, texels, size, _size_hint(texels, size, args))
    mask = None if lock is None else picture(lock, read_mask)
    if mask is not None and lock is not None:
        _check_size(lock, mask, size, "Draw it on a copy of the texture, in its size.")
    if mask is not None and args.mask is not None:
        mask = (255 - mask).astype(np.uint8)
    ref: BufferRef | None = None if mask is None else buffers.add(Kind.MASK, mask)
    return TileImages(number, buffers.add(Kind.COLOR, texels), ref)


def _size_hint(texels: Array, size: int, args: argparse.Namespace) -> str:
    height, width = texels.shape[:2]
    if height != width or args.earlier is not None:
        return f"Give the texture with {size} texels a side."
    return f"Give --size {height}, or the texture with {size} texels a side."


def _check_size(file: Path, image: Array, size: int, hint: str) -> None:
    """Raises RequestError(BAD_REQUEST) for a picture that is not laid out as the texture is."""
    height, width = image.shape[:2]
    if (width, height) != (size, size):
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"{file} is {width}×{height}; the texture is {size}×{size}",
            hint=hint,
        )
