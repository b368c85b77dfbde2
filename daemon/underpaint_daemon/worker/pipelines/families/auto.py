"""A family without a file here: the pipeline that its index names, diffusers' own way from a
picture where it has one, and the blocks of a modular pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..foreign.classes import (
    blocks_of,
    needed_by,
    needed_by_blocks,
    painting_class,
    parameters,
    refuse_incomplete,
)
from ..foreign.rooms import pipeline_class
from .base import Ask, Family, Task, Words
from .flow import flow_family

_FROM_PICTURE = ("image", "strength")
_OF_PIXELS = "IFPipeline"
_SCALES = (
    "guidance_scale", "true_cfg_scale", "prior_guidance_scale", "distilled_guidance_scale",
)  # fmt: skip


def _read(pipe: Any, words: Words) -> dict[str, Any]:
    del pipe
    negative = {"negative_prompt": words.negative} if words.guided else {}
    return {"prompt": words.text, **negative}


def _arguments(ask: Ask) -> dict[str, Any]:
    """The scale under each of the names that pipelines have for it; they take what they know. Sana
    Sprint stops between its steps where they are two, and nowhere else."""
    more = {} if ask.steps in (None, 2) else {"intermediate_timesteps": None}
    return {**dict.fromkeys(_SCALES, ask.guidance), **more}


def _of_pixels(ask: Ask) -> dict[str, Any]:
    """DeepFloyd IF's tensors are for its own second half; its arrays are pictures."""
    return {**_arguments(ask), "output_type": "np"}


AUTO = flow_family("auto", {}, _read, _arguments, foreign=True)
AUTO_IMAGE = replace(AUTO, name="auto_image")
MODULAR = replace(AUTO, name="modular", modular=True)
MODULAR_TEXT = replace(MODULAR, name="modular_text")
FOREIGN = {family.name: family for family in (AUTO, AUTO_IMAGE, MODULAR, MODULAR_TEXT)}


def foreign_family(name: str, index: Mapping[str, Any], folder: Path) -> Family:
    """The family of one model's pipeline. Raises RequestError(MODEL_BROKEN) for a class that
    diffusers does not have, or that makes no picture of words."""
    family, kind = FOREIGN[name], str(index["_class_name"])
    if family.modular:
        blocks = blocks_of(index, folder)
        refuse_incomplete(folder, index, needed_by_blocks(blocks))
        known = {one.name for one in blocks.inputs}
        more = {Task.IMAGE: kind} if family is MODULAR else {}
    else:
        found = painting_class(kind, folder)
        refuse_incomplete(folder, index, needed_by(found))
        known = set(parameters(found.__call__))
        more = from_pictures(kind)
    if kind == _OF_PIXELS:
        family = replace(family, arguments=_of_pixels)
    pipelines = {(task, False): one for task, one in ({Task.TEXT: kind} | more).items()}
    return replace(family, pipelines=pipelines, reads_negative="negative_prompt" in known)


def from_pictures(kind: str) -> dict[Task, str]:
    """diffusers' pipeline of the same parts that begins from a picture."""
    # It imports every pipeline there is: seconds that no family with a file here needs.
    from diffusers.pipelines import auto_pipeline

    table = auto_pipeline.AUTO_IMAGE2IMAGE_PIPELINES_MAPPING
    found = auto_pipeline._get_task_class(table, kind, throw_error_if_not_exist=False)
    named = found or pipeline_class(kind.replace("Pipeline", "Img2ImgPipeline"))
    if named is None or not all(name in parameters(named.__call__) for name in _FROM_PICTURE):
        return {}
    return {Task.IMAGE: named.__name__}
