"""The options of `underpaint texture`."""

from __future__ import annotations

import argparse

from underpaint.cli.options import (
    add_json,
    add_model,
    add_pattern,
    add_pbr,
    add_sampling,
    add_words,
    chosen,
    path_of,
)
from underpaint.cli.parts.controls import add_control
from underpaint.cli.parts.references import add_reference
from underpaint.cli.terminal.parser import Parser
from underpaint.encodings import typed
from underpaint.requests import Method, TextureRequest

from ..meshes.turns import AXES
from .assets import KINDS, SUFFIXES
from .cli_edit import add_editing
from .cli_objects import FORM

_TOLD = "A mesh file and a prompt in, a textured mesh and its report out."
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


def parsed(argv: list[str] | None = None) -> argparse.Namespace:
    """The arguments; `given`: the names of those that were given, and not left at their default."""
    args, plain = options().parse_args(argv), options()
    for action in plain._actions:
        action.default = argparse.SUPPRESS
    args.given = frozenset(vars(plain.parse_args(argv)))
    return args


def options() -> argparse.ArgumentParser:
    """The command's options."""
    parser = Parser(
        prog="underpaint texture",
        description=_TOLD,
        epilog=_EPILOG,
    )
    parser.add_argument("mesh", type=path_of, help=f"a mesh ({' '.join(SUFFIXES)}) or a folder")
    add_words(parser, "what to paint", required=False)
    parser.add_argument("--csv", type=path_of, help="for a folder: its prompts")
    told = "the table's encoding, like cp1250; default: what its letters look like"
    parser.add_argument("--encoding", help=told)
    parser.add_argument(
        "--out", type=path_of, required=True, metavar="FOLDER", help="where the results go"
    )
    _add_views(parser)
    parser.add_argument(
        "--object-prompt",
        type=typed,
        action="append",
        default=[],
        metavar=FORM,
        help="what one object is to look like; the LoRA acts on it alone, TEXT may then be empty; "
        "repeat for several",
    )
    told = "the file's up axis; default: what the file says, else y (.fbx, .blend and glTF know it)"
    parser.add_argument("--up", choices=AXES, help=told)
    parser.add_argument("--export", default="glb", help="glb, fbx, both (glb,fbx), or none")
    add_json(parser)
    add_pbr(parser)
    add_editing(parser)
    add_control(parser)
    add_reference(parser, "")
    add_model(parser)
    add_sampling(parser)
    add_pattern(parser, "metres")
    return parser


def _add_views(parser: argparse.ArgumentParser) -> None:
    """From where to look, and how large."""
    request = TextureRequest.__dataclass_fields__
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


def exports(args: argparse.Namespace) -> tuple[str, ...]:
    """The kinds of scene file that are asked for."""
    kinds = tuple(dict.fromkeys(args.export.split(",")))
    if kinds == ("none",):
        return ()
    for kind in kinds:
        chosen(KINDS, "--export", kind)
    return kinds
