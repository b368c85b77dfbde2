"""What becomes of an installation, a look a tick. No bpy."""

from __future__ import annotations

from collections.abc import Callable

from underpaint.paths import Paths

from ..link import runtime, supervisor
from ..link.connected import DaemonState


def follow(live: runtime.Runtime, paths: Callable[[], Paths]) -> None:
    """When it has ended: start the daemon, or show why there is none."""
    if live.installed is None:
        live.installed = supervisor.is_installed(paths())
    installing = live.installing
    if installing is None or not installing.ended:
        return
    live.installing = None
    live.installed = supervisor.is_installed(paths())
    live.error = installing.error
    if installing.ended == "ready" and live.session.state is DaemonState.ABSENT:
        live.session.start()
