"""What the scripts of behaviours share, inside Blender: install, paint, pump, look, report.

Importing this hides the environment's own copies of what the extension bundles.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.extend(map(str, Path(__file__).parents[1].iterdir()))
from outcomes import outcome
from own_wheels import hide

hide("zmq", "msgpack", "underpaint")

import bpy  # noqa: E402 (after `hide`)

# isort: split
import addon_utils  # noqa: E402

MODULE = "bl_ext.user_default.underpaint"
REPORT = Path(sys.argv[sys.argv.index("--") + 1]) if "--" in sys.argv else Path()
STEPS = "steps=4 seconds=0.02"
SLOW = "steps=60 seconds=0.05"


def install(extension: Path) -> None:
    done = bpy.ops.extensions.package_install_files(
        filepath=str(extension), repo="user_default", enable_on_install=True
    )
    assert done == {"FINISHED"}, done


def addon(name: str):
    return importlib.import_module(f"{MODULE}.{name}")


def live():
    return addon("link.runtime").live()


def settings():
    return bpy.context.scene.underpaint


def pump_until(condition, seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {live()}"
        addon("pump").tick()
        time.sleep(0.02)  # a window ticks no oftener; each tick is a processor's time


def begin(prompt: str):
    """Start painting without waiting; the task."""
    settings().prompt = prompt
    assert bpy.ops.underpaint.generate(wait=False) == {"FINISHED"}
    return live().current


def paint(prompt: str):
    """Paint to the end; the new image."""
    settings().prompt = prompt
    assert bpy.ops.underpaint.generate(timeout=120) == {"FINISHED"}
    return bpy.data.images[live().last_image]


def asked() -> str:
    """The request of the newest painting, as text."""
    return bpy.data.images[live().last_image]["underpaint_request"]


def refusal(call) -> str:
    """What a script hears when an operator fails."""
    try:
        call()
    except RuntimeError as error:
        return str(error)
    raise AssertionError("this should have been refused")


def draw(name: str):
    from recording_layout import Context, Drawn

    drawn = Drawn()
    getattr(bpy.types, name).draw(drawn, Context())
    return drawn


def daemon_pid() -> int:
    from underpaint.paths import user_paths
    from underpaint.wire.connection import read_connection

    return read_connection(user_paths().connection_file).pid


def lose_daemon() -> None:
    """Kill it until it stays away: a question on its way brings it back by itself."""
    killed = set()

    def stays_away() -> bool:
        asked = any(thread.name == "underpaint-later" for thread in threading.enumerate())
        if not asked and live().session.reachable and daemon_pid() not in killed:
            killed.add(daemon_pid())
            os.kill(daemon_pid(), signal.SIGKILL)
        return live().session.state == "lost" and not asked

    pump_until(stays_away)


def fresh_file() -> None:
    """The start-up file, and nothing left of what was painted before."""
    bpy.ops.wm.read_homefile(use_factory_startup=False)
    live().error, live().last_image = None, ""
    live().session.tasks.clear()
    live().failed.clear()
    live().works.clear()
    for note in live().session.left:
        live().session.drop_left(note.job)


def stop_daemon() -> None:
    """End the daemon in good order, and wait until it is gone."""
    from underpaint.errors import ConnectionLost
    from underpaint.wire.connection import process_alive

    live().session.close()
    try:
        pid = daemon_pid()
        os.kill(pid, signal.SIGTERM)
    except (ConnectionLost, ProcessLookupError):
        return
    deadline = time.monotonic() + 300
    while process_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)


def main(behaviours, before=lambda: None) -> None:
    """Install, run the behaviours (or those named in the arguments), report; ends the process."""
    report, extension, *chosen = sys.argv[sys.argv.index("--") + 1 :]
    install(Path(extension))

    def prepare() -> None:
        fresh_file()
        before()

    results = {}
    for behaviour in behaviours:
        if not chosen or behaviour.__name__ in chosen:
            began = time.monotonic()
            failure = results[behaviour.__name__] = outcome(behaviour, prepare)
            verdict = "FAILED" if failure else "ok"
            print(f"{time.monotonic() - began:6.2f} s {verdict} {behaviour.__name__}", flush=True)
    stop_daemon()
    Path(report).write_text(json.dumps(results))
    addon_utils.disable(MODULE)
    sys.stdout.flush()
    os._exit(0)
