"""A modular pipeline of diffusers: blocks that hand a state on, in place of one call with
arguments. Called here as any other."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers.modular_pipelines import modular_pipeline
from PIL import Image
from torch import Tensor

from underpaint_daemon.common.places import MODULAR_INDEX

from ..families.base import Task
from ..latents import to_image8
from .classes import blocks_of, found_class, placed
from .pictures import pictured

# What each task is called among the blocks' own workflows.
_WORKFLOWS = {Task.TEXT: ("text2image",), Task.IMAGE: ("image2image", "img2img")}
_GUIDANCE = "guidance_scale"


class ModularPainter:
    """Blocks for one task with a model's parts in them; `taken` are the arguments of its call."""

    def __init__(
        self,
        index: Mapping[str, Any],
        parts: Mapping[str, Any],
        task: Task,
        device: torch.device,
    ) -> None:
        kind = placed(found_class(str(index["_class_name"]), Path(MODULAR_INDEX)), device)
        blocks = _for_task(blocks_of(index, Path(MODULAR_INDEX)), task)
        for block in _all_blocks(blocks):
            if hasattr(block, "set_progress_bar_config"):
                block.set_progress_bar_config(disable=True)
        self._pipe = kind(blocks=blocks)
        known = self._pipe.component_names
        self._pipe.update_components(
            **{name: part for name, part in parts.items() if name in known},
            **{name: value for name, value in index.items() if name in _settings(self._pipe)},
        )
        named = {one.name for one in blocks.inputs}
        self._asked = frozenset(name for name in named if name)
        self.taken = self._asked | {_GUIDANCE}

    @property
    def scheduler(self) -> Any:
        return self._pipe.scheduler

    @scheduler.setter
    def scheduler(self, scheduler: Any) -> None:
        self._pipe.scheduler = scheduler

    def __call__(self, **given: Any) -> tuple[Tensor]:
        """The picture (1, 3, h, w), 0–1."""
        scale = given.pop(_GUIDANCE)
        self._guide(scale)
        if _GUIDANCE in self._asked:
            given[_GUIDANCE] = scale
        if isinstance(given.get("image"), Tensor):
            given["image"] = Image.fromarray(to_image8(given["image"][0]))
        with _unlogged():
            return (pictured(self._pipe(output="images", **given)),)

    def _guide(self, scale: float) -> None:
        """Guidance is a part of the pipeline, whose kind its makers chose; some are off until they
        are asked for (Z-Image's)."""
        guider = getattr(self._pipe, "guider", None)
        if guider is not None and _GUIDANCE in guider.config:
            asked = {_GUIDANCE: scale, "enabled": scale > 1}
            self._pipe.guider = type(guider).from_config(guider.config, **asked)


def painter_of(model: Any, task: Task, scheduler: Any) -> ModularPainter:
    """A loaded model's blocks for a task, built once: that takes as long as a step of a small
    picture."""
    if task not in model.built:
        model.built[task] = ModularPainter(model.index, model.parts, task, model.place.device)
    painter: ModularPainter = model.built[task]
    painter.scheduler = scheduler
    return painter


def _for_task(blocks: Any, task: Task) -> Any:
    """The blocks that a task runs through, of those that can do several."""
    known = getattr(blocks, "_workflow_map", None) or ()
    named = next((name for name in _WORKFLOWS[task] if name in known), None)
    return blocks if named is None else blocks.get_workflow(named)


def _settings(pipe: Any) -> frozenset[str]:
    return frozenset(one.name for one in pipe.blocks.expected_configs)


@contextmanager
def _unlogged() -> Iterator[None]:
    """What leaves the blocks is told where it is caught; they log it at each of their levels."""
    log = logging.getLogger(modular_pipeline.__name__)
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)


def _all_blocks(block: Any) -> Iterator[Any]:
    yield block
    for below in getattr(block, "sub_blocks", {}).values():
        yield from _all_blocks(below)
