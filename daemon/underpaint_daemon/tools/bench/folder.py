"""`bench folder`: what a folder of small meshes takes beside the seconds of its jobs.

Runs `underpaint texture FOLDER` as a user does, on a daemon of its own that has not painted yet,
over meshes made for this. A job's own seconds are those that its worker noted (`job.json`): from
the request's arrival until its files are saved.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.cli.terminal.parser import Parser
from underpaint.errors import ErrorCode, JobFailed, error_from_dict
from underpaint.measures import Report, at_most
from underpaint.paths import Paths
from underpaint.requests import STARTER_MODEL

from .harness import finish, own_daemon

RATIO_LIMIT = 1.4
_PARTS = ("reading", "waiting", "job", "writing")
_AROUND, _ALONG = 12, 8
Array = npt.NDArray[Any]


def main(argv: list[str]) -> int:
    """Measure and print; see `underpaint bench folder --help`."""
    options = _options(argv)
    with tempfile.TemporaryDirectory(prefix="underpaint-bench-") as root:
        meshes = Path(root) / "meshes"
        write_meshes(meshes, options.meshes, options.seed)
        with own_daemon() as paths:
            total, assets = _paint(options, paths, meshes, Path(root) / "out")
            own = _own_seconds(paths.data / "jobs")
    painted = [asset["quality"]["seconds"] for asset in assets]
    measures = {
        "meshes": float(len(painted)),
        "total_s": total,
        "jobs_own_s": sum(own),
        "first_job_own_s": own[0],
        "total_over_jobs_ratio": total / sum(own),
        "first_job_seen_s": painted[0]["job"],
    }
    measures |= {f"{part}_s": sum(seconds[part] for seconds in painted) for part in _PARTS}
    ratio = at_most("total_over_jobs_ratio", measures["total_over_jobs_ratio"], RATIO_LIMIT)
    return finish(Report("bench folder", options.seed, measures, [ratio]), as_json=options.json)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = Parser(prog="underpaint bench folder", description=__doc__)
    add = parser.add_argument
    add("--json", action="store_true", help="print one JSON object")
    add("--meshes", type=int, default=20, choices=range(1, 1001), metavar="N", help="20")
    add("--views", type=int, default=4, help="of each mesh (4)")
    add("--steps", type=int, default=2, help="of each view (2)")
    add("--size", type=int, default=512, help="texels a side (512)")
    add("--view-size", type=int, help="pixels a side of each view; default: the model's own")
    add("--model", default=STARTER_MODEL, help="default: %(default)s")
    add("--seed", type=int, default=0, help="of the meshes and of their paint")
    return parser.parse_args(argv)


def write_meshes(folder: Path, count: int, seed: int) -> None:
    """Turned solids of about 200 triangles with UVs, no two alike, as OBJ files."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for number in range(count):
        (folder / f"turned_{number:03d}.obj").write_text(_turned(rng.uniform(0.3, 1, _ALONG + 1)))


def _turned(radius: Array) -> str:
    """A solid about the Y axis, 2 m high, as the text of an OBJ file."""
    u, v = np.meshgrid(np.linspace(0, 1, _AROUND + 1), np.linspace(0, 1, _ALONG + 1))
    angle = 2 * np.pi * u
    across = radius[:, None]
    points = np.stack([across * np.cos(angle), 2 * v, -across * np.sin(angle)], axis=-1)
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in points.reshape(-1, 3)]
    lines += [f"vt {a:.6f} {b:.6f}" for a, b in np.stack([u, v], axis=-1).reshape(-1, 2)]
    rows = np.arange(1, points[..., 0].size + 1).reshape(_ALONG + 1, _AROUND + 1)
    corners = np.stack([rows[:-1, :-1], rows[:-1, 1:], rows[1:, 1:], rows[1:, :-1]], axis=-1)
    lines += ["f " + " ".join(f"{n}/{n}" for n in face) for face in corners.reshape(-1, 4).tolist()]
    return "\n".join(lines) + "\n"


def _paint(
    options: argparse.Namespace, paths: Paths, meshes: Path, out: Path
) -> tuple[float, list[dict[str, Any]]]:
    """The command's seconds from its start to its end, and its report. Raises UnderpaintError."""
    command = [sys.executable, "-m", "underpaint_daemon", "texture", str(meshes), "--json"]
    command += ["--prompt", "red bricks", "--out", str(out), "--model", options.model]
    for name in ("views", "steps", "size", "seed"):
        command += [f"--{name}", str(getattr(options, name))]
    if options.view_size is not None:
        command += ["--view-size", str(options.view_size)]
    env = {**os.environ, "UNDERPAINT_DATA": str(paths.data), "UNDERPAINT_CACHE": str(paths.cache)}
    start = time.monotonic()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    total = time.monotonic() - start
    told: dict[str, Any] = json.loads(done.stdout or "{}")
    assets: list[dict[str, Any]] = told.get("assets", [])
    for failed in (told, *assets):
        if "error" in failed:
            raise error_from_dict(failed["error"])
    if done.returncode:
        raise JobFailed(ErrorCode.INTERNAL, f"the command ended so: {done.stderr.strip()[-600:]}")
    return total, assets


def _own_seconds(jobs: Path) -> list[float]:
    """Of each job, in the order in which they ran."""
    records = [json.loads(file.read_text("utf-8")) for file in jobs.glob("*/job.json")]
    records.sort(key=lambda record: record["started_unix_s"])
    return [float(record["seconds"]) for record in records]
