"""Tiny models with random weights that edit or finish pictures."""

from underpaint_daemon.tools.miniatures.unets import sd2_depth as build_depth
from underpaint_daemon.tools.miniatures.unets import sd15_edit as build_edit
from underpaint_daemon.tools.miniatures.unets import sdxl_edit as build_xl_edit
from underpaint_daemon.tools.miniatures.unets import sdxl_refiner as build_refiner

__all__ = ["build_depth", "build_edit", "build_refiner", "build_xl_edit"]
