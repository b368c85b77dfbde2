"""`underpaint texture`: a mesh file and a prompt in, a textured mesh and its report out."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import underpaint
from underpaint.buffers import Buffers
from underpaint.cli.controls import add_control, controls_of
from underpaint.cli.guard import Parser
from underpaint.cli.options import (
    add_json,
    add_model,
    add_pattern,
    add_pbr,
    add_sampling,
    chosen,
    loras_of,
    pattern_of,
    pbr_of,
    sampling_of,
)
from underpaint.cli.run import follow
from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.requests import MeshRef, Method, Prompt, TextureRequest
from underpaint.tree import request_digest
from underpaint_daemon.worker.texturing.surface.mesh import Mesh

from .assets import SUFFIXES, mesh_ref, open_asset
from .cli_edit import add_editing, continued, edited
from .cli_objects import object_prompts, objects_in_cell
from .cli_results import tell, write_results, write_summary
from .table import read_rows

_DONE = "done.json"
_EXPORTS = ("glb", "fbx")
_FAILED = "failed.json"
_EPILOG = """\
examples:
  underpaint texture spot.obj --prompt "red clay with blue stripes" --out painted
  underpaint texture spot.obj --from painted --mask eye.png --prompt "a gold eye" --out eye
  underpaint texture spot.obj --from painted --reroll 3 --seed 7 --out rerolled
  underpaint texture robot.glb --prompt "worn steel" --object-prompt "Eyes=red glass" --out robot
  underpaint texture spot.obj --prompt "polished gold" --pbr --export glb,fbx --out gold
  underpaint texture assets/ --csv prompts.csv --out painted
Columns of the CSV: file,prompt and, where wanted, negative,seed,object_prompts (NAME=TEXT; ...).
A folder is worked through asset by asset: what is finished is skipped, what fails is noted in its
failed.json and does not stop the rest; summary.csv and summary.json say how all of it went.
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """One mesh file to paint, and where its results go."""

    mesh: Path
    prompt: Prompt
    out: Path
    seed: int
    objects: tuple[str, ...] = ()
    """`NAME=TEXT` prompts of single objects."""


def main(argv: list[str] | None = None) -> int:
    """Paint one asset or a folder of them. 0 when all went well, 1 when an asset failed."""
    args = options().parse_args(argv)
    _exports(args)
    assets = list(_assets(args))
    if not args.mesh.is_dir():
        result = _guarded(assets[0], args) if args.json else _paint(assets[0], args)
        tell([result], args.json)
        return 1 if "error" in result else 0
    results = []
    for asset in assets:
        results.append(_guarded(asset, args))
        write_summary(args.out, results)
    tell(results, args.json)
    return 1 if any("error" in result for result in results) else 0


def options() -> argparse.ArgumentParser:
    """The command's options."""
    request = TextureRequest.__dataclass_fields__
    parser = Parser(
        prog="underpaint texture",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("mesh", type=Path, help="a mesh (.obj .ply .glb .fbx .blend) or a folder")
    parser.add_argument("--prompt", default="", help="what to paint")
    parser.add_argument("--negative", default="", help="what to keep away from")
    parser.add_argument("--csv", type=Path, help="for a folder: its prompts")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--method", default=Method.SYNC.value, help=", ".join(Method))
    parser.add_argument(
        "--views",
        type=int,
        default=request["view_count"].default,
        help="from how many sides to look; default: %(default)s",
    )
    parser.add_argument("--size", type=int, default=request["size"].default, help="texels a side")
    parser.add_argument(
        "--view-size",
        type=int,
        help="pixels a side of each view; default: what the model was made for",
    )
    add_model(parser)
    add_control(parser)
    add_pattern(parser, "metres")
    add_sampling(parser)
    add_editing(parser)
    add_pbr(parser)
    parser.add_argument(
        "--object-prompt",
        action="append",
        default=[],
        metavar="NAME=TEXT",
        help="what one object is to look like; repeat for several",
    )
    parser.add_argument("--export", default="glb", help="glb, fbx, both (glb,fbx), or none")
    add_json(parser)
    return parser


def _assets(args: argparse.Namespace) -> Iterator[Asset]:
    if not args.mesh.is_dir():
        if not args.prompt and args.earlier is None:
            raise RequestError(ErrorCode.BAD_REQUEST, "--prompt is missing: say what to paint")
        prompt = Prompt(args.prompt, args.negative)
        yield Asset(args.mesh, prompt, args.out, args.seed, tuple(args.object_prompt))
    elif args.csv is not None:
        yield from _rows(args)
    else:
        if not args.prompt:
            raise RequestError(ErrorCode.BAD_REQUEST, "a folder needs --csv or --prompt")
        for file in sorted(args.mesh.iterdir()):
            if file.suffix.lower() in SUFFIXES:
                prompt = Prompt(args.prompt, args.negative)
                yield Asset(
                    file, prompt, args.out / file.stem, args.seed, tuple(args.object_prompt)
                )


def _rows(args: argparse.Namespace) -> Iterator[Asset]:
    """The assets of a CSV file. Raises RequestError(FILE) that names the row."""
    for row in read_rows(args.csv, ("file", "prompt")):
        name, text, seed = row["file"], row["prompt"], row["seed"]
        if not name or not text or not (seed or "0").isdecimal():
            raise RequestError(
                ErrorCode.FILE,
                f"{args.csv}, line {row.line}: needs a file and a prompt, and seeds are numbers",
            )
        file = args.mesh / name
        prompt = Prompt(text, row["negative"] or args.negative)
        objects = (*args.object_prompt, *objects_in_cell(row["object_prompts"]))
        number = int(seed) if seed else args.seed
        yield Asset(file, prompt, args.out / file.stem, number, objects)


def _guarded(asset: Asset, args: argparse.Namespace) -> dict[str, Any]:
    """One of many: its failure is written down beside its results."""
    try:
        return _paint(asset, args)
    except UnderpaintError as error:
        asset.out.mkdir(parents=True, exist_ok=True)
        failure = {"mesh": str(asset.mesh), "error": error.to_dict()}
        (asset.out / _FAILED).write_text(json.dumps(failure, indent=1), encoding="utf-8")
        print(f"{asset.mesh.name}: {error}", file=sys.stderr)
        return failure


def _paint(asset: Asset, args: argparse.Namespace) -> dict[str, Any]:
    file = open_asset(asset.mesh)
    for warning in file.mesh.warnings:
        print(f"note: {warning}", file=sys.stderr)
    request, buffers = build_request(file.mesh, asset, args, file.names)
    mark = hashlib.sha256(request_digest(request).encode()).hexdigest()
    if (done := _finished(asset, mark)) is not None:
        return {**done, "skipped": True}
    asset.out.mkdir(parents=True, exist_ok=True)
    (asset.out / _FAILED).unlink(missing_ok=True)
    with underpaint.connect(client="texture") as up:
        job = up.submit(request, buffers)
        follow(job)
        results = job.result()
    result = write_results(file, asset.mesh, asset.out, results, _exports(args))
    (asset.out / _DONE).write_text(json.dumps({"mark": mark, **result}, indent=1), "utf-8")
    return result


def _finished(asset: Asset, mark: str) -> dict[str, Any] | None:
    """What an earlier run of the same request left, if all its files are there."""
    try:
        done: dict[str, Any] = json.loads((asset.out / _DONE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    whole = all(Path(file).is_file() for file in done.get("files", []))
    return done if done.get("mark") == mark and whole else None


def _exports(args: argparse.Namespace) -> tuple[str, ...]:
    """The kinds of scene file that are asked for."""
    kinds = tuple(dict.fromkeys(args.export.split(",")))
    if kinds == ("none",):
        return ()
    for kind in kinds:
        chosen(_EXPORTS, "--export", kind)
    return kinds


def build_request(
    mesh: Mesh, asset: Asset, args: argparse.Namespace, names: Mapping[int, str] | None = None
) -> tuple[TextureRequest, Buffers]:
    """The request that the arguments mean. names: the mesh's objects. Raises RequestError."""
    buffers = Buffers()
    ref = mesh_ref(mesh, buffers)
    if args.earlier is not None:
        request = continued(args.earlier, ref, asset.prompt, asset.seed)
    else:
        request = _anew(ref, asset, args, buffers)
    if asset.objects:
        request = replace(request, object_prompts=object_prompts(asset.objects, names or {}))
    return edited(request, args, mesh, buffers), buffers


def _anew(
    mesh: MeshRef, asset: Asset, args: argparse.Namespace, buffers: Buffers
) -> TextureRequest:
    return TextureRequest(
        prompt=asset.prompt,
        mesh=mesh,
        model=args.model,
        method=chosen(Method, "--method", args.method),
        sampling=sampling_of(args, asset.seed),
        controls=controls_of(args.control, buffers),
        pattern=pattern_of(args),
        view_count=args.views,
        view_size=args.view_size,
        size=args.size,
        loras=loras_of(args),
        pbr=pbr_of(args),
    )
