"""What `underpaint texture` leaves: the job's files, the mesh that wears them, a summary."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from underpaint.events import ResultFile
from underpaint_daemon.worker.texturing.job.pictures import plain_png
from underpaint_daemon.worker.texturing.job.turntable import turntable

from .assets import MeshFile
from .export import write_obj, write_scenes

_MEASURES = ("coverage_fraction", "overlap_psnr_db", "sharpness_ratio")


def write_results(
    file: MeshFile, source: Path, out: Path, results: list[ResultFile], exports: Sequence[str]
) -> dict[str, Any]:
    """Write the job's files, the textured mesh and its turntable into `out`; what was written and
    measured.
    exports: kinds of scene file to write through Blender, if there is one."""
    files = []
    for result in results:
        path = out / result.name
        path.write_bytes(result.data)
        files.append(path)
    tiles = {int(r.facts["tile"]): r for r in results if "tile" in r.facts}
    name = source.stem
    files += write_obj(file.mesh, out / f"{name}.obj", {n: r.name for n, r in tiles.items()})
    images = [(number, _pixels(result)) for number, result in sorted(tiles.items())]
    sheet = out / "turntable.png"
    sheet.write_bytes(plain_png(turntable(file.mesh, images)))
    files.append(sheet)
    worn = {n: {"base_color": out / r.name} for n, r in tiles.items()}
    for result in results:
        if "map" in result.facts:
            worn[int(result.facts["udim"])][result.facts["map"]] = out / result.name
    outs = [out / f"{name}.{kind}" for kind in exports]
    written = write_scenes(file, source, worn, outs)
    files += written
    if len(written) < len(outs):
        print("note: no Blender was found, so no .glb or .fbx was written", file=sys.stderr)
    quality = next((dict(r.facts) for r in results if r.name == "quality.json"), {})
    return {"mesh": str(source), "files": [str(f) for f in files], "quality": quality}


def _pixels(result: ResultFile) -> torch.Tensor:
    with Image.open(io.BytesIO(result.data), formats=["PNG"]) as image:
        return torch.from_numpy(np.array(image.convert("RGBA"))).float() / 255


def write_summary(out: Path, results: list[dict[str, Any]]) -> None:
    """How the assets of a folder went so far: summary.json, and summary.csv for a table."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "summary.json").write_text(json.dumps({"assets": results}, indent=1), "utf-8")
    with (out / "summary.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(("file", "state", *_MEASURES, "problem", "fix"))
        for result in results:
            quality, error = result.get("quality", {}), result.get("error", {})
            numbers = [quality.get(name, "") for name in _MEASURES]
            problem = (error.get("message", ""), error.get("hint", ""))
            table.writerow((Path(result["mesh"]).name, _state(result), *numbers, *problem))


def _state(result: dict[str, Any]) -> str:
    if "error" in result:
        return "failed"
    return "finished before" if result.get("skipped") else "painted"


def tell(results: list[dict[str, Any]], as_json: bool) -> None:
    """Print what was done: one JSON object, or lines for a person."""
    if as_json:
        print(json.dumps({"assets": results}, indent=2, sort_keys=True))
        return
    for result in results:
        if "error" in result:
            print(f"{result['mesh']}: failed: {result['error']['message']}")
            continue
        print(f"{result['mesh']}{' (was finished)' if result.get('skipped') else ''}")
        print("\n".join(f"  {file}" for file in result["files"]))
        for key, value in sorted(result["quality"].items()):
            print(f"  {key:<24}{value:.4g}" if isinstance(value, float) else f"  {key:<24}{value}")
    if len(results) > 1:
        states = [_state(result) for result in results]
        counts = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
        print(f"{len(results)} assets: {', '.join(counts)}")
