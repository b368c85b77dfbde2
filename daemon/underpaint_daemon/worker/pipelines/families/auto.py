"""A family without a file here: the pipeline that its index names, and diffusers' own way from a
picture where it has one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import diffusers

from .base import Family, Task, Words
from .flow import flow_family


def _read(pipe: Any, words: Words) -> dict[str, Any]:
    del pipe
    negative = {"negative_prompt": words.negative} if words.guided else {}
    return {"prompt": words.text, **negative}


AUTO = flow_family("auto", {}, _read)


def auto_family(class_name: str) -> Family:
    """The family of one pipeline's class; without a way from pictures where diffusers has none."""
    pipelines = {(Task.TEXT, False): class_name}
    try:
        found = diffusers.pipelines.auto_pipeline._get_task_class(
            diffusers.pipelines.auto_pipeline.AUTO_IMAGE2IMAGE_PIPELINES_MAPPING, class_name
        )
        pipelines[Task.IMAGE, False] = found.__name__
    except ValueError:
        pass
    return replace(AUTO, pipelines=pipelines)
