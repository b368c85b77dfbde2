"""What `underpaint texture` leaves: the job's files, the mesh that wears them, a summary."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from underpaint.files.saving import write_whole

from ..meshes.files import MeshFile
from ..meshes.wear import Maps, Wear, wear
from .jobs import Seconds
from .told_figures import told_figures

if TYPE_CHECKING:  # a mesh is read, and refused, before anything of the wire is loaded
    from underpaint.events import ResultFile

    from .export import Exported

Array = npt.NDArray[Any]
_QUALITY = "quality.json"
_MEASURES = ("coverage_fraction", "overlap_psnr_db", "sharpness_ratio")
UNWRAPPED = "unwrapped.npz"
"""The UVs that were made for a mesh that had none, for a later `--from`."""


def write_results(
    file: MeshFile, out: Path, results: list[ResultFile], exports: Sequence[str]
) -> tuple[dict[str, Any], Exported]:
    """Write the job's files and the textured mesh into `out`; what was written and measured, and
    what of the mesh was not. exports: kinds of scene file."""
    from .export import export

    files = []
    for result in results:
        path = out / result.name
        write_whole(path, result.data)
        files.append(path)
    worn = _worn(file, out, results)
    done = export(file, worn, out, exports)
    files += done.files
    quality = next((dict(r.facts) for r in results if r.name == _QUALITY), {})
    if done.kept is not None:
        quality |= done.kept.measures
    told: dict[str, Any] = {"mesh": str(file.path), "files": [str(f) for f in files]}
    told["quality"] = quality
    if done.problems:
        told["problems"] = [problem.to_dict() for problem in done.problems]
    return told, done


def note_seconds(out: Path, told: dict[str, Any], seconds: Seconds) -> dict[str, Any]:
    """What was done, with its seconds; both in the report on disk as well."""
    told["quality"] = {**told["quality"], "seconds": asdict(seconds)}
    text = json.dumps(told["quality"], indent=1, sort_keys=True)
    write_whole(out / _QUALITY, text.encode())
    return told


def _worn(file: MeshFile, out: Path, results: list[ResultFile]) -> Wear:
    images: dict[int, dict[str, Path]] = {}
    for result in results:
        if "tile" in result.facts:
            images.setdefault(int(result.facts["tile"]), {})["base_color"] = out / result.name
    for result in results:
        if "map" in result.facts:
            tile = images.setdefault(int(result.facts["udim"]), {})
            tile[result.facts["map"]] = out / result.name
    made = next((r.data for r in results if r.name == UNWRAPPED), None)
    corners = file.corners
    uv = corners.uv if made is None else read_uvs(made)
    whole: dict[int, Maps] = {number: maps for number, maps in images.items()}
    bare = corners.bare if file.uvs_made is None else file.uvs_made
    return wear(file.polygons, corners.source, uv, bare, whole, file.own)


def read_uvs(data: bytes) -> Array:
    """The UVs (3L, 2) of `unwrapped.npz`."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return np.asarray(np.nan_to_num(arrays["uv"]), np.float32)


def write_summary(out: Path, results: list[dict[str, Any]]) -> None:
    """How the assets of a folder went so far: summary.json, and summary.csv for a table."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "summary.json").write_text(json.dumps({"assets": results}, indent=1), "utf-8")
    table_file = (out / "summary.csv").open(  # a name need not be text
        "w", newline="", encoding="utf-8", errors="backslashreplace"
    )
    with table_file as stream:
        table = csv.writer(stream)
        table.writerow(("file", "state", *_MEASURES, "problem", "fix"))
        for result in results:
            quality = result.get("quality", {})
            problems: list[dict[str, Any]] = result.get("problems", [])
            error: dict[str, Any] = result.get("error") or (problems[0] if problems else {})
            numbers = [quality.get(name, "") for name in _MEASURES]
            problem = (error.get("message", ""), error.get("hint", ""))
            table.writerow((Path(result["mesh"]).name, _state(result), *numbers, *problem))


def _state(result: dict[str, Any]) -> str:
    if "error" in result:
        return "failed"
    if "problems" in result:
        return "painted, not all written"
    return "finished before" if result.get("skipped") else "painted"


def tell(results: list[dict[str, Any]], as_json: bool, notes: Sequence[str] = ()) -> None:
    """Print what was done: one JSON object, or lines for a person. notes: of the whole run."""
    if as_json:
        told: dict[str, Any] = {"assets": results, "notes": list(notes)}
        if len(results) == 1 and "error" in results[0]:
            told["error"] = results[0]["error"]  # as every command tells it
        print(json.dumps(told, indent=2, sort_keys=True))
        return
    for result in results:
        _tell_one(result)
    if len(results) > 1:
        states = [_state(result) for result in results]
        counts = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
        print(f"{len(results)} assets: {', '.join(counts)}")
    for note in notes:
        print(f"note: {note}")


def _tell_one(result: dict[str, Any]) -> None:
    if "error" in result:
        print(f"{result['mesh']}: failed: {result['error']['message']}")
        return
    print(f"{result['mesh']}{' (was finished)' if result.get('skipped') else ''}")
    print("\n".join(f"  {file}" for file in result["files"]))
    for line in told_figures(result["quality"]):
        print(f"  {line}")
    for problem in result.get("problems", ()):
        print(f"  {problem['message']} {problem['hint']}", file=sys.stderr)
