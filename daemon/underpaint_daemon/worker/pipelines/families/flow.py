"""What the families of transformers have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .base import Ask, Embedding, Family, Task, Words, plain_guidance

CONTROL = dict.fromkeys(Task, "control_image")
_NO_EXTRAS = {"feature_extractor": None, "image_encoder": None}
Reader = Callable[[Any, Words], Embedding]


def flow_family(
    name: str,
    pipelines: Mapping[tuple[Task, bool], str],
    read: Reader,
    arguments: Callable[[Ask], dict[str, Any]] = plain_guidance,
    **more: Any,
) -> Family:
    """A family whose pipelines encode and decode by themselves."""
    return Family(
        name=name,
        pipelines=pipelines,
        control_argument=CONTROL,
        fixed=_NO_EXTRAS,
        read=read,
        arguments=arguments,
        self_decoding=True,
        **more,
    )


def place_of(pipe: Any) -> Any:
    """Where a pipeline computes, and its text encoders with it (see `foreign.classes.placed`)."""
    return pipe._execution_device


def named(names: tuple[str, ...], values: tuple[Any, ...]) -> Embedding:
    """A pipeline's encodings under the names of its call's arguments; what is None is left out."""
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def spoken(pipe: Any, words: Words) -> Embedding:
    """The words as they are, for pipelines that read them together with pictures."""
    del pipe
    negative = {"negative_prompt": words.negative or " "} if words.guided else {}
    return {"prompt": words.text, **negative}
