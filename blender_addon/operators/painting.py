"""What all verbs that paint have in common: submit, come back at once, wait only in background."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from collections.abc import Callable, Generator
from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, FloatProperty

from underpaint.errors import UnderpaintError

from .. import pump
from ..capture import main_region
from ..link import runtime
from ..link.task import Task
from ..link.work import Work
from ..writing import texts
from .failing import refuse


class Paints:
    """A mixin for operators that hand over a job."""

    bl_options: ClassVar[set[str]] = {"REGISTER"}

    wait: BoolProperty(
        default=True,
        options={"HIDDEN", "SKIP_SAVE"},
        description="In background mode, return when it is painted",
    )
    timeout: FloatProperty(
        default=1800.0,
        min=1.0,
        subtype="TIME",
        options={"HIDDEN", "SKIP_SAVE"},
        description="In background mode, the longest to wait, seconds",
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        return context.scene is not None

    def paint(self, submit: Callable[[], Task]) -> set[str]:
        """What the operator's `execute` gives, once `submit` has handed over the job; `submit`
        raises UnderpaintError for what cannot be painted."""
        live = runtime.live()
        live.error = None
        texts.follow()  # what was typed since the last tick
        try:
            task = submit()
            pump.start()
            if bpy.app.background and self.wait:
                pump.run_until(lambda: task.ended, self.timeout)
        except UnderpaintError as error:
            return refuse(self, error)
        if task.error is not None:
            return refuse(self, task.error)
        return {"FINISHED"}

    def paint_sized(self, context: Any, submit: Callable[[], Task], *, sized: bool) -> set[str]:
        """`paint`; unless it is `sized` by hand, not before the daemon has told the size that the
        model paints at: only then is the view captured, from the same viewport."""
        live = runtime.live()
        if sized or live.session.told:
            return self.paint(submit)
        live.error = None
        try:
            live.session.start()
            if bpy.app.background:
                pump.run_until(lambda: live.session.told, self.timeout)
                return self.paint(submit)
        except UnderpaintError as error:
            return refuse(self, error)
        address = context.area.as_pointer() if context.area else 0
        live.works.append(Work(_when_told(live, address, submit)))
        pump.start()
        return {"FINISHED"}


def _when_told(
    live: runtime.Runtime, address: int, submit: Callable[[], Task]
) -> Generator[float, None, None]:
    try:
        while not live.session.told:
            if live.session.trouble is not None:
                raise live.session.trouble
            live.session.check_reachable()
            yield 0.0
        with bpy.context.temp_override(**_pressed_in(address)):
            submit()
    except UnderpaintError as error:
        live.error = error  # for the panel: the operator has ended


def _pressed_in(address: int) -> dict[str, Any]:
    """Window and area where the button was pressed; any window, when that is closed."""
    windows = bpy.context.window_manager.windows
    found = ((w, a) for w in windows for a in w.screen.areas if a.as_pointer() == address)
    window, area = next(found, (windows[0], None))
    if area is None:
        return {"window": window}
    return {"window": window, "area": area, "region": main_region(area)}
