"""`underpaint eval capture`: captures in real Blender against exact ray intersections."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..blenders import Blender, addon_folder, require_blenders
from ..buffers import Array, Buffers
from ..cameras import project
from ..cli.terminal.parser import Parser
from ..errors import ErrorCode, RequestError
from ..files.viewfile import load_view
from ..measures import Report, at_most
from ..normals import decode_normal
from ..requests import View
from .analytic import Truth, trace
from .capture_scenes import TestScene, scenes, to_json

_TIMEOUT_S = 600.0
_LIMITS: Mapping[str, float] = {
    "depth_rel_err_p99": 1e-3,
    "normal_err_median_deg": 0.5,
    "normal_err_p99_deg": 2.0,
    "reprojection_err_p99_px": 0.25,
    "object_id_mismatch_fraction": 0.0,
    "mask_mismatch_fraction": 2e-3,
}
Figures = dict[str, float]


def main(argv: Sequence[str]) -> int:
    """The command; its exit code: 0 all bars hold, 3 one does not. Raises UnderpaintErrors."""
    parser = Parser(prog="underpaint eval capture", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--blender", metavar="VERSION", help="only this one, like 4.2")
    parser.add_argument("--seed", type=int, default=0, help="moves cameras and shapes about")
    args = parser.parse_args(argv)
    report = evaluate(require_blenders(args.blender), args.seed)
    print(report.to_json() if args.json else report.to_text())
    return report.exit_code


def evaluate(blenders: Iterable[Blender], seed: int) -> Report:
    """Measure every Blender; bars are on the worst over Blenders, scenes and both renderers."""
    tests = scenes(seed)
    measures: Figures = {}
    every: list[Figures] = []
    for blender in blenders:
        facts, figures = _measure_blender(blender, tests)
        label = f"blender_{blender.series.replace('.', '_')}"
        measures[f"{label}_gpu_fraction"] = float(facts["gpu"])
        for mode in ("gpu", "numpy"):
            ours = [figure for (_name, own), figure in figures.items() if own == mode]
            if ours:
                measures |= {f"{label}_{mode}_{k}": v for k, v in worst(ours).items()}
        every += figures.values()
    overall = worst(every)
    bars = [at_most(name, overall[name], limit) for name, limit in _LIMITS.items()]
    return Report("eval capture", seed, overall | measures, bars)


def worst(figures: Iterable[Figures]) -> Figures:
    """The largest value of each measure; not-a-number counts as the largest."""
    rows = list(figures)
    return {name: float(np.max([row[name] for row in rows])) for name in rows[0]}


def _measure_blender(
    blender: Blender, tests: tuple[TestScene, ...]
) -> tuple[dict[str, Any], dict[tuple[str, str], Figures]]:
    with tempfile.TemporaryDirectory(prefix="underpaint-") as name:
        folder = Path(name)
        (folder / "scenes.json").write_text(json.dumps([to_json(test) for test in tests]))
        facts = _run(blender, folder)
        figures = {}
        for test in tests:
            truth = trace(test.lens, test.shapes)
            for mode in ("gpu", "numpy") if facts["gpu"] else ("numpy",):
                buffers = Buffers()
                view = load_view(folder / f"{test.name}-{mode}.npz", buffers)
                ids = facts["ids"][test.name]
                figures[test.name, mode] = compare(test, truth, view, buffers, ids)
    return facts, figures


def _run(blender: Blender, folder: Path) -> dict[str, Any]:
    addon = addon_folder()
    if addon is None:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "eval capture needs the add-on's scripts, which the daemon's package carries",
            hint="Install underpaint-daemon beside this.",
        )
    script = addon / "scripts" / "capture_eval.py"
    done = subprocess.run(
        blender.command(script, [str(folder)]),
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=_TIMEOUT_S,
        check=False,
    )
    report = folder / "done.json"
    if not report.exists():
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise RequestError(
            ErrorCode.CAPTURE_FAILED, f"Blender {blender.version} could not capture:\n{tail}"
        )
    facts: dict[str, Any] = json.loads(report.read_text())
    return facts


def compare(
    test: TestScene, truth: Truth, view: View, buffers: Buffers, ids: Mapping[str, int]
) -> Figures:
    """One captured view against the exact picture.

    Depth and reprojection are over all pixels that both see, the normals' p99 and the object ids
    off edges. Reprojection: where the exact camera sees a pixel's captured position, and where
    the captured camera sees the exact one, next to the pixel's centre.
    """
    depth, normal, object_id, position = _arrays(view, buffers)
    seen, exact = np.isfinite(depth), np.isfinite(truth.depth)
    both = seen & exact
    inner = both & ~truth.edge
    relative = np.abs(depth[both] / truth.depth[both] - 1)
    angle = _degrees(decode_normal(normal), truth.normal)
    expected = np.array([0, *(ids[shape.object] for shape in test.shapes)])[truth.shape + 1]
    return {
        "depth_rel_err_p99": _percentile(relative, 99),
        "depth_rel_err_off_edges_max": float(
            np.abs(depth[inner] / truth.depth[inner] - 1).max(initial=0)
        ),
        "normal_err_median_deg": _percentile(angle[both], 50),
        "normal_err_p99_deg": _percentile(angle[inner], 99),
        "reprojection_err_p99_px": _reprojection(test, truth, view, position, both),
        "object_id_mismatch_fraction": float((object_id != expected)[inner].mean()),
        "mask_mismatch_fraction": float((seen != exact).mean()),
    }


def _arrays(view: View, buffers: Buffers) -> tuple[Array, ...]:
    refs = (view.depth, view.normal, view.object_id, view.position)
    return tuple(buffers[ref.sha256] for ref in refs if ref is not None)


def _reprojection(test: TestScene, truth: Truth, view: View, position: Array, both: Array) -> float:
    rows, columns = np.nonzero(both)
    centres = np.stack([columns + 0.5, rows + 0.5], axis=1)
    by_exact = test.lens.project(position[both].astype(np.float64))
    origins, directions = test.lens.rays()
    points = origins[both] + directions[both] * truth.depth[both][:, None]
    by_captured, _depth = project(view.camera, points)
    errors = [np.linalg.norm(p - centres, axis=1) for p in (by_exact, by_captured)]
    return max(_percentile(error, 99) for error in errors)


def _degrees(a: Array, b: Array) -> Array:
    # atan2 of the cross and dot products: arccos loses small angles.
    across = np.linalg.norm(np.cross(a, b), axis=-1)
    degrees: Array = np.degrees(np.arctan2(across, (a * b).sum(axis=-1)))
    return degrees


def _percentile(values: Array, q: float) -> float:
    return float(np.percentile(values, q)) if values.size else float("nan")
