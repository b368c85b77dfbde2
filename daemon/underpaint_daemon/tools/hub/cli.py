"""The command line of `underpaint models …` that needs the daemon's environment."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from underpaint.cli.output import print_error
from underpaint.cli.terminal.parser import Parser
from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.paths import Paths, home_folder, user_paths
from underpaint_daemon.common.denoisers.files import denoiser_in
from underpaint_daemon.common.denoisers.rest import base_folder
from underpaint_daemon.common.models import ModelInfo, describe, known_models, model_folder
from underpaint_daemon.common.places import (
    add_folder,
    extra_folders,
    forget_folder,
    known_places,
    models_in,
)

from . import defaults, token_cli
from .access import accept_licence, terminal
from .catalogue import find_set, load_catalogue
from .pull import RECORD, Source, damaged, pull
from .tokens import hub_token

_FAILED, _BAD_INPUT = 1, 2
_EXAMPLES = """\
examples:
  underpaint models                         what can be painted with
  underpaint models scan --add              use what other programs have on this machine
  underpaint models add ~/models/oak.safetensors
  underpaint models pull                    what the catalogue has
  underpaint models token store             keep the token of gated models; it is asked for
"""


def main(argv: list[str]) -> int:
    """Run one command; its exit code (0 done, 1 damaged, 2 bad input)."""
    args = _parser().parse_args(argv)
    try:
        code: int = args.run(args, user_paths())
    except UnderpaintError as error:
        print_error(error, args.json)
        return _BAD_INPUT
    return code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="underpaint models", epilog=_EXAMPLES)
    commands = parser.add_subparsers(dest="command", required=True)
    scan = _command(commands, "scan", _scan, "find models of other programs on this machine")
    scan.add_argument("folders", nargs="*", type=Path, help="look here as well")
    scan.add_argument("--add", action="store_true", help="use what is found, where it lies")
    add = _command(commands, "add", _add, "use a folder or file of models where it lies")
    add.add_argument("folder", type=Path)
    add.add_argument(
        "--base",
        metavar="MODEL",
        help="of a file that holds a transformer or a UNet alone (.safetensors, .gguf): the "
        "model's folder, or its name, that VAE and text encoders come from; of a UNet a whole "
        "checkpoint, too",
    )
    fetch = _command(commands, "pull", _pull, "fetch a set from the catalogue")
    fetch.add_argument("name", nargs="?", help="a set; without one, the catalogue is shown")
    fetch.add_argument("--mirror", help="a mirror of the hub (default: HF_ENDPOINT or the hub)")
    fetch.add_argument("--accept-licence", action="store_true", help="you have read and accept it")
    own = _command(commands, "defaults", _defaults, "show or set what a model paints with")
    own.add_argument("name", help="a model's name or path")
    defaults.add_options(own)
    token = _command(commands, "token", _token, "keep the token that gated models want")
    token_cli.add_options(token)
    for name, run, told in (
        ("verify", _verify, "hold a model's files against their sha256"),
        ("remove", _remove, "delete a pulled model, or forget an added folder"),
    ):
        _command(commands, name, run, told).add_argument("name")
    return parser


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace, Paths], int], told: str
) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=told, description=told)
    made.add_argument("--json", action="store_true", help="print one JSON object")
    made.set_defaults(run=run)
    return made


def _scan(args: argparse.Namespace, paths: Paths) -> int:
    places = known_places(os.environ, home_folder(os.environ))
    roots = [(place.program, place.folder) for place in places]
    roots += [("given", folder.expanduser().absolute()) for folder in args.folders]
    found = [
        {"program": program, **asdict(describe(paths, name, path))}
        for program, folder in roots
        for name, path in models_in(folder)
    ]
    added = [str(f) for _, f in roots if args.add and add_folder(paths, f)]
    lines = [_scan_line(row) for row in found] or ["no models of other programs found"]
    if found and not args.add:
        lines.append("use them where they lie: underpaint models scan --add")
    _say(args, {"models": found, "added": added}, lines)
    return 0


def _scan_line(row: Mapping[str, Any]) -> str:
    told = row["problem"] or f"{row['family']}, {row['size_mb'] / 1000:.1f} GB"
    return f"{row['program']:<14}{row['name']:<40} {told}"


def _add(args: argparse.Namespace, paths: Paths) -> int:
    place = args.folder.expanduser().absolute()
    if args.base is not None:
        _set_base(paths, place, args.base)
    if place.is_file() and not any(models_in(place)):
        raise RequestError(
            ErrorCode.FILE,
            f"{args.folder} is no model",
            hint="Models are .safetensors and .gguf files, and folders of diffusers.",
        )
    new = not _is_known(paths, place) and add_folder(paths, place)
    names = [name for name, _ in models_in(place)]
    told = "added" if new else "known already"
    found = ", ".join(names) or "no model in it yet"
    lines = [f"{told}: {args.folder}: {found}"]
    lines += [f"  {row.problem}" for row in _broken_files(paths, place)]
    _say(args, {"added": new, "models": names}, lines)
    return 0


def _set_base(paths: Paths, file: Path, base: str) -> None:
    """Note the model that a transformer's or UNet's other parts come from, where it fits."""
    lone = denoiser_in(file) if file.is_file() else None
    if lone is None:
        problem = f"--base is of a file that holds a transformer or a UNet alone; {file} is none"
        raise RequestError(ErrorCode.BAD_REQUEST, problem)
    folder = base_folder(paths, lone, base)
    defaults.write_own(file, {"base": str(folder)})


def _is_known(paths: Paths, place: Path) -> bool:
    """Whether a file lies in a folder that is looked through anyway."""
    return place.is_file() and place in [path for _, path in known_models(paths)]


def _broken_files(paths: Paths, place: Path) -> list[ModelInfo]:
    found = [describe(paths, name, path) for name, path in models_in(place) if path.is_file()]
    return [row for row in found if row.problem]


def _pull(args: argparse.Namespace, paths: Paths) -> int:
    if args.name is None:
        sets = list(load_catalogue().values())
        lines = [
            f"{s.name:<18}{s.gb:>6.1f} GB  {s.vram_gb:>3.0f} GB GPU  {s.title}: {s.purpose} "
            f"({s.licence})"
            for s in sets
        ]
        _say(args, {"sets": [asdict(one) for one in sets]}, lines)
        return 0
    chosen = find_set(args.name)
    accept_licence(paths, chosen, given=args.accept_licence, ask=None if args.json else terminal())
    source = Source(args.mirror or os.environ.get("HF_ENDPOINT"), hub_token(paths, os.environ))
    folder = pull(paths, chosen, source, lambda line: print(line, file=sys.stderr))
    _say(args, {"name": chosen.name, "folder": str(folder)}, [f"{chosen.name}: {folder}"])
    return 0


def _defaults(args: argparse.Namespace, paths: Paths) -> int:
    data, lines = defaults.run(args, paths)
    _say(args, data, lines)
    return 0


def _token(args: argparse.Namespace, paths: Paths) -> int:
    data, lines = token_cli.run(args, paths)
    _say(args, data, lines)
    return 0


def _verify(args: argparse.Namespace, paths: Paths) -> int:
    folder = model_folder(paths, args.name)
    if (folder / RECORD).is_file():
        problems = list(damaged(folder))
    else:
        problem = describe(paths, args.name, folder).problem
        problems = [problem] if problem else []
    _say(args, {"name": args.name, "problems": problems}, problems or [f"{args.name} is whole"])
    return _FAILED if problems else 0


def _remove(args: argparse.Namespace, paths: Paths) -> int:
    if forget_folder(paths, Path(args.name)):
        _say(args, {"forgotten": args.name}, [f"forgotten; nothing was deleted: {args.name}"])
        return 0
    folder = paths.models / args.name
    plain = Path(args.name).name == args.name and args.name not in ("", ".", "..")
    if not plain or not (folder / RECORD).is_file():
        known = ", ".join(str(f) for f in extra_folders(paths)) or "none"
        raise RequestError(
            ErrorCode.MODEL_MISSING,
            f"{args.name!r} is neither a pulled model nor an added folder (added: {known})",
            hint="What was not pulled is yours: delete it by hand.",
        )
    shutil.rmtree(folder)
    _say(args, {"removed": args.name}, [f"removed: {folder}"])
    return 0


def _say(args: argparse.Namespace, data: Mapping[str, Any], lines: list[str]) -> None:
    print(json.dumps(data, indent=2, sort_keys=True) if args.json else "\n".join(lines))
