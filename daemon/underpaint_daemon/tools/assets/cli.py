"""`underpaint texture`: a mesh file and a prompt in, a textured mesh and its report out."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import underpaint
from underpaint.cli.guard import Exit, exit_code, of_a_file
from underpaint.cli.terminal.progress_line import ProgressLine
from underpaint.errors import (
    RequestError,
    UnderpaintError,
    error_from_dict,
    why,
)
from underpaint.files.claims import own_folder
from underpaint.files.saving import ready_folder, saved, write_whole
from underpaint.tree import request_digest

from ..meshes.files import MeshFile
from .assets import open_asset
from .cli_edit import pictures_kept
from .cli_options import exports, parsed
from .cli_results import note_seconds, tell, write_results, write_summary
from .folder import Asset, assets_of
from .jobs import Seconds, pipelined
from .request import build_request

if TYPE_CHECKING:  # a mesh is read, and refused, before anything of the wire is loaded
    from underpaint.client import Client
    from underpaint.events import ResultFile
    from underpaint.job import Job

    from .following import Line

_DONE = "done.json"
_FAILED = "failed.json"


@dataclass(frozen=True, slots=True)
class _Begun:
    """An asset on its way: its mesh, its request's mark, its job. ended: it has its result already.
    reading: seconds; handed: when its job was handed over."""

    asset: Asset
    ended: dict[str, Any] | None = None
    file: MeshFile | None = None
    mark: str = ""
    job: Job | None = None
    reading: float = 0.0
    handed: float = 0.0


def main(argv: list[str] | None = None) -> int:
    """Paint one asset or a folder of them. Returns the exit code."""
    args = parsed(argv)
    exports(args)
    with own_folder(args.out) as out:
        notes = []
        if out != args.out:
            notes = [f"another run writes into {args.out}; this one writes into {out}"]
            print(f"note: {notes[0]}", file=sys.stderr)
        args.out = out
        return _painted(args, notes)


def _painted(args: argparse.Namespace, notes: Sequence[str]) -> Exit:
    assets = assets_of(args)
    many = args.mesh.is_dir()
    results = list[dict[str, Any]]()
    with _Painter(args, guarded=many or args.json) as painter:
        for result in painter.results(assets):
            results.append(result)
            if many:
                with suppress(OSError):
                    write_summary(args.out, results)
    if many:
        _summarised(args.out, results)
    tell(results, args.json, notes)
    return _ended(results)


def _summarised(out: Path, results: list[dict[str, Any]]) -> None:
    """The summary, wherever it can be written."""
    try:
        problem = saved(out, lambda folder: write_summary(folder, results))[1]
    except RequestError as error:
        problem = error
    if problem is not None:
        print(f"note: summary: {problem.message}", file=sys.stderr)


def _ended(results: Sequence[dict[str, Any]]) -> Exit:
    """By the table: bad input where nothing else went wrong."""
    codes = {exit_code(error_from_dict(result["error"])) for result in results if "error" in result}
    codes |= {Exit.FAILED for result in results if "problems" in result}
    if len(codes) > 1:
        return Exit.FAILED
    return codes.pop() if codes else Exit.DONE


class _Painter:
    """One connection to the daemon, made when it is first needed, and the assets that go over it.
    guarded: a failure is written down beside the asset's results, and does not stop the rest."""

    def __init__(self, args: argparse.Namespace, *, guarded: bool) -> None:
        self._args, self._guarded = args, guarded
        self._daemon: tuple[Client, Line] | None = None
        self._line = ProgressLine()
        self._jobs: list[Job] = []
        self._count, self._many = 0, 0
        self._took = list[float]()

    def __enter__(self) -> _Painter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._line.end()
        if self._daemon is None:
            return
        if kind is KeyboardInterrupt:  # what was handed over ahead, too
            for job in self._jobs:
                if not job.ended:
                    job.cancel()
        self._daemon[0].close()

    def results(self, assets: Sequence[Asset]) -> Iterable[dict[str, Any]]:
        """What was done with each asset, in order."""
        self._many = len(assets)
        return pipelined(assets, self._begin, self._end)

    def _begin(self, asset: Asset) -> _Begun:
        try:
            return self._handed(asset)
        except (UnderpaintError, OSError) as error:
            return _Begun(asset, self._failed(asset, error))

    def _end(self, begun: _Begun) -> dict[str, Any]:
        self._count += 1
        if begun.ended is not None:
            return begun.ended
        try:
            return self._written(begun)
        except (UnderpaintError, OSError) as error:
            return self._failed(begun.asset, error)

    def _handed(self, asset: Asset) -> _Begun:
        if asset.wrong is not None:
            raise asset.wrong
        start = time.monotonic()
        self._line.doing(f"reading {asset.mesh.name}", logged=False)
        file = open_asset(asset.mesh, up=self._args.up)
        for warning in file.corners.warnings:
            self._line.note(f"note: {warning}")
        file, request, buffers = build_request(file, asset, self._args)
        request = replace(request, turntable=True)
        mark = hashlib.sha256(request_digest(request).encode()).hexdigest()
        if (done := _finished(asset, mark)) is not None:
            return _Begun(asset, {**done, "skipped": True})
        self._ready(asset)
        read = time.monotonic()
        client, _ = self._connected()
        handed = time.monotonic()
        with pictures_kept(self._args.earlier):
            job = client.submit(request, buffers)
        self._jobs.append(job)
        return _Begun(asset, None, file, mark, job, read - start, handed)

    def _ready(self, asset: Asset) -> None:
        """A folder for the results. Where none can be written, nothing is begun; once something
        is, the results are kept elsewhere."""
        with suppress(*((OSError,) if self._jobs else ())):
            ready_folder(asset.out)
            (asset.out / _FAILED).unlink(missing_ok=True)

    def _connected(self) -> tuple[Client, Line]:
        if self._daemon is None:
            from .following import Line

            up = underpaint.connect(client="texture")
            self._daemon = up, Line(up, self._line)
        return self._daemon

    def _written(self, begun: _Begun) -> dict[str, Any]:
        assert begun.job is not None
        line = self._line
        line.about, line.after = self._place(begun.asset), self._many - self._count
        waiting, running = self._connected()[1].follow(begun.job, begun.handed)
        self._took.append(running)
        line.each_s = sum(self._took) / len(self._took)
        results = begun.job.result()

        def write(folder: Path) -> dict[str, Any]:
            return self._write(begun, folder, results, (waiting, running))

        told, problem = saved(begun.asset.out, write, f"The daemon keeps job {begun.job.id}.")
        if problem is not None:
            told["problems"] = [problem.to_dict(), *told.get("problems", ())]
        return told

    def _place(self, asset: Asset) -> str:
        """Which of how many it is, for what is told of it."""
        return f"{self._count}/{self._many} {asset.mesh.name}: " if self._many > 1 else ""

    def _write(
        self, begun: _Begun, folder: Path, results: list[ResultFile], took: tuple[float, float]
    ) -> dict[str, Any]:
        assert begun.file is not None
        start = time.monotonic()
        told, _ = write_results(begun.file, folder, results, exports(self._args))
        told["notes"] = list(begun.file.corners.warnings)
        seconds = Seconds(begun.reading, *took, time.monotonic() - start)
        told = note_seconds(folder, told, seconds)
        if "problems" not in told:  # what is missing is tried again by the next run
            done = json.dumps({"mark": begun.mark, **told}, indent=1)
            write_whole(folder / _DONE, done.encode())
        return told

    def _failed(self, asset: Asset, error: UnderpaintError | OSError) -> dict[str, Any]:
        if not self._guarded:
            raise error
        if isinstance(error, OSError):
            error = of_a_file(error)
        failure = {"mesh": str(asset.mesh), "error": error.to_dict()}
        self._line.note(f"{asset.mesh.name}: {error}")
        try:
            asset.out.mkdir(parents=True, exist_ok=True)
            (asset.out / _FAILED).write_text(json.dumps(failure, indent=1), encoding="utf-8")
        except OSError as full:
            self._line.note(f"note: {asset.out / _FAILED} was not written: {why(full)}")
        return failure


def _finished(asset: Asset, mark: str) -> dict[str, Any] | None:
    """What an earlier run of the same request left, if all its files are there."""
    try:
        done: dict[str, Any] = json.loads((asset.out / _DONE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    whole = all(Path(file).is_file() for file in done.get("files", []))
    return done if done.get("mark") == mark and whole else None
