"""Commands that live in the daemon's package: run in its Python, with this terminal."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

from ..launcher import daemon_python, not_started
from .stopping import number_of

COMMANDS: Mapping[str, str] = {
    "texture": "paint a texture into a mesh's own UVs",
    "eval": "measure quality: see `underpaint eval --help`",
    "bench": "measure speed and memory: see `underpaint bench --help`",
    "train-starter": "train the starter model",
}
"""What each is, in a line."""
MODELS = ("scan", "add", "pull", "token", "verify", "remove", "defaults")
"""Words after `models` that are for the daemon's package, too."""


def takes(arguments: list[str]) -> bool:
    """Whether the words are for the daemon's package."""
    return arguments[0] in COMMANDS or (
        arguments[0] == "models" and arguments[1:2] != [] and arguments[1] in MODELS
    )


def run(arguments: list[str]) -> int:
    """Run `python -m underpaint_daemon ARGUMENTS`; its exit code."""
    if arguments[:2] == ["eval", "capture"]:
        from ..evals.capture import main

        return main(arguments[2:])
    command = [daemon_python(), "-m", "underpaint_daemon", *arguments]
    try:
        process = subprocess.Popen(command)
    except OSError as error:
        raise not_started(command[0], error) from error
    return _ended(process)


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Its exit code; of one that a signal ended, what a shell says. What tells us to stop it is
    told, too: it cancels its job and says so, and we wait for that."""
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt as stop:
            if os.name == "posix":  # elsewhere the console tells both
                process.send_signal(number_of(stop))
            continue
        return code if code >= 0 else 128 - code
