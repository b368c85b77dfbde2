"""Install, cancel and remove the painting daemon: one button each."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, StringProperty

from underpaint.errors import ErrorCode, RequestError, UnderpaintError

from .. import pump
from ..install import installing
from ..install.installing import Choice
from ..languages import say
from ..link import runtime
from ..ui.install_parts import draw_question
from ..ui.preferences import daemon_paths, torch_index, wheelhouse
from .failing import allowed, refuse

_DIALOG_WIDTH = 420
_HARDWARE = (
    ("auto", "Found by Itself", "The graphics card of this computer, or its processor"),
    ("cpu", "Processor Only", "Smallest; for computers without a graphics card for painting"),
    ("cu130", "NVIDIA (CUDA)", "For graphics cards of NVIDIA, on Linux and Windows"),
    ("rocm7.2", "AMD (ROCm)", "For graphics cards of AMD, on Linux"),
    ("xpu", "Intel (XPU)", "For Arc graphics cards of Intel"),
    (
        "index",
        "As the Package Index Has It",
        "For networks in which PyTorch's own index cannot be reached: on Linux it is the one for "
        "NVIDIA, 3 GB to download and 6 GB on the disk, which paints on the processor too",
    ),
)


class _Installs:
    """A mixin: start the installer; in background wait for its end."""

    wait: BoolProperty(
        default=True,
        options={"HIDDEN", "SKIP_SAVE"},
        description="In background mode, return when it has ended",
    )
    timeout: FloatProperty(
        default=7200.0,
        subtype="TIME",
        options={"HIDDEN", "SKIP_SAVE"},
        description="In background mode, the longest to wait, seconds",
    )

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return allowed(cls, not runtime.live().is_installing, "It is being installed already")

    def begin(self, choice: Choice) -> set[str]:
        live = runtime.live()
        live.error = None
        try:
            begun = live.installing = installing.start(daemon_paths(), choice)
        except UnderpaintError as error:
            return refuse(self, error)
        except OSError as error:
            hint = "Start Blender again from its own folder."
            return refuse(self, RequestError(ErrorCode.INSTALL_FAILED, str(error), hint=hint))
        pump.start()
        if bpy.app.background and self.wait:
            begun.wait(self.timeout)
            pump.tick()
            if begun.error is not None:
                return refuse(self, begun.error)
        return {"FINISHED"}


class UNDERPAINT_OT_install(_Installs, bpy.types.Operator):
    """Make what paints: a Python of its own outside Blender, with all that it needs"""

    bl_idname = "underpaint.install"
    bl_label = "Install"
    bl_options: ClassVar[set[str]] = {"REGISTER"}

    hardware: EnumProperty(
        name="Paint With",
        items=_HARDWARE,
        default="auto",
        description="What the pictures are computed on: a graphics card is many times as quick",
    )
    wheelhouse: StringProperty(
        name="From a Folder",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
        description="A folder with every package that Install needs, for computers without a "
        "network; empty downloads them",
    )
    fresh: BoolProperty(
        name="Make All Anew",
        options={"SKIP_SAVE"},
        description="Do not go on with what is there, but begin again: mends an installation",
    )

    def invoke(self, context: Any, _event: Any) -> set[str]:
        self.wheelhouse = self.wheelhouse or wheelhouse()
        result: set[str] = context.window_manager.invoke_props_dialog(
            self, width=_DIALOG_WIDTH, confirm_text=say("Install")
        )
        return result

    def draw(self, context: Any) -> None:
        draw_question(self.layout, context, self, daemon_paths())

    def execute(self, _context: Any) -> set[str]:
        folder = bpy.path.abspath(self.wheelhouse or wheelhouse())
        if not folder and not bpy.app.online_access:
            return refuse(self, _offline())
        return self.begin(Choice("install", folder, self.fresh, self.hardware, torch_index()))


class UNDERPAINT_OT_uninstall(_Installs, bpy.types.Operator):
    """Remove what Install made, and nothing else; paintings and models stay"""

    bl_idname = "underpaint.uninstall"
    bl_label = "Remove"
    bl_options: ClassVar[set[str]] = {"REGISTER"}

    def invoke(self, context: Any, event: Any) -> set[str]:
        result: set[str] = context.window_manager.invoke_confirm(self, event)
        return result

    def execute(self, _context: Any) -> set[str]:
        runtime.live().session.end_daemon()
        return self.begin(Choice("remove"))


class UNDERPAINT_OT_install_cancel(bpy.types.Operator):
    """Stop; what has come is kept, and Install goes on from there"""

    bl_idname = "underpaint.install_cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return allowed(cls, runtime.live().is_installing, "Nothing is being installed")

    def execute(self, _context: Any) -> set[str]:
        begun = runtime.live().installing
        if begun is not None:
            begun.cancel()
        return {"FINISHED"}


CLASSES = (UNDERPAINT_OT_install, UNDERPAINT_OT_uninstall, UNDERPAINT_OT_install_cancel)


def _offline() -> RequestError:
    return RequestError(
        ErrorCode.INSTALL_FAILED,
        "Blender may not use the network",
        hint="Tick Allow Online Access in Preferences > System, or choose a wheelhouse folder.",
    )
