"""A series for a host that cannot paint it itself, as Blender's panel: `python -m
underpaint.animation FOLDER`, in the Python that has the daemon.

The folder has what `job.save_job` wrote, and gets the pictures. Tells on stdout, one JSON object a
line: {"done", "total", "eta_s"}, {"note"}, {"doing", "usual_s"}, and at last {"ended": "painted",
"pictures", "movie"}, {"ended": "cancelled"} or {"ended": "failed", "error"}. Cancels what it paints
when stdin ends.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from _thread import interrupt_main
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import UnderpaintError
from .job import load_job
from .sequence import Made
from .series import Painted, paint_series


class _Lines:
    """A series told on stdout."""

    def told(self, made: Sequence[Made], total: int, eta_s: float | None) -> None:
        _say({"done": len(made), "total": total, "eta_s": eta_s})

    def noted(self, text: str) -> None:
        _say({"note": text})

    def doing(self, text: str, usual_s: float | None) -> None:
        _say({"doing": text, "usual_s": usual_s})


def main(folder: Path) -> int:
    """Paint the series of a folder; the exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_stop_when_left, daemon=True).start()
    try:
        series, blender = load_job(folder)
        _say(_ended(paint_series(series, blender, _Lines())))
    except UnderpaintError as error:
        _say({"ended": "failed", "error": error.to_dict()})
        return 1
    except KeyboardInterrupt:
        _say({"ended": "cancelled"})
    return 0


def _ended(painted: Painted) -> dict[str, Any]:
    movie = None if painted.movie is None else str(painted.movie)
    return {"ended": "painted", "pictures": [*map(str, painted.pictures)], "movie": movie}


def _stop_when_left() -> None:
    """Nobody waits for it any more: as Ctrl-C."""
    sys.stdin.read()
    interrupt_main()


def _say(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
