"""Texturing mesh files from Python: `underpaint texture` as a function.

The mesh is read and the results are written by the daemon's own Python, so that this works in any
Python, Blender's too, without torch. For meshes in memory build a `TextureRequest`.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ErrorCode, RequestError, UnderpaintError, error_from_dict
from .launcher import daemon_python


@dataclass(frozen=True, slots=True)
class TexturedFile:
    """What was painted: `files` (texture, maps, meshes, turntable, report) and `quality`, the
    measures of quality.json. `skipped`: it was there already, from the same request. `problems`:
    what could not be written where it was asked for."""

    files: tuple[Path, ...]
    quality: Mapping[str, Any]
    skipped: bool = False
    problems: tuple[UnderpaintError, ...] = ()


def texture_file(
    mesh: Path | str,
    prompt: str,
    out: Path | str,
    *,
    object_prompts: Mapping[str, str] | None = None,
    pbr: bool = False,
    export: Sequence[str] = ("glb",),
    **options: str | int | float,
) -> TexturedFile:
    """Paint a mesh file (.obj, .ply; .glb, .fbx, .blend where there is a Blender) into `out`.

    object_prompts: prompts of single objects by name, with `:lora=FILE:WEIGHT` behind
    them where an object has a LoRA of its own. pbr: the material's maps as well. export:
    "glb", "fbx". options: any other option of `underpaint texture`, `view_size=512` for
    `--view-size 512`. Run again, what is finished is not painted again. Blocks until it is done.
    Raises UnderpaintError.
    """
    # A word that begins with a dash is no option when it stands behind `=` or `--`.
    words = [f"--prompt={prompt}", f"--out={out}", "--json"]
    words += [f"--export={','.join(export) or 'none'}", *(["--pbr"] if pbr else [])]
    for name, text in (object_prompts or {}).items():
        words.append(f"--object-prompt={name}={text}")
    for option, value in options.items():
        words.append(f"--{option.replace('_', '-')}={value}")
    words += ["--", str(mesh)]
    command = [daemon_python(), "-m", "underpaint_daemon", "texture", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
    )
    try:
        (asset,) = json.loads(done.stdout)["assets"]
    except ValueError as error:
        said = (done.stderr.strip() or "no word").splitlines()[-1]
        raise RequestError(ErrorCode.BAD_REQUEST, f"underpaint texture: {said}") from error
    if "error" in asset:
        raise error_from_dict(asset["error"])
    files = tuple(Path(file) for file in asset["files"])
    problems = tuple(error_from_dict(problem) for problem in asset.get("problems", ()))
    return TexturedFile(files, asset["quality"], bool(asset.get("skipped")), problems)
