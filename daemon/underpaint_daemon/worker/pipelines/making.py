"""Pipelines of diffusers, made of a model's shared components, and what they read of a prompt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Sampler
from underpaint.words import without_numbers
from underpaint_daemon.common.recognition import is_part

from .families import Task
from .families.base import Embedding, Words
from .foreign.classes import parameters, placed
from .foreign.modular import painter_of
from .foreign.rooms import pipeline_class
from .loading.components import LoadedModel, make_scheduler

_CALLED = {
    Task.TEXT: "words alone",
    Task.IMAGE: "a picture",
    Task.INPAINT: "a picture with a mask",
}


def make_pipeline(model: LoadedModel, task: Task, network: Any, scheduler: Any) -> Any:
    """A diffusers pipeline of the model's own components: nothing is copied.

    `network`: a ControlNet, a list of them, or None.
    """
    controlled = network is not None or (task, False) not in model.family.pipelines
    if (task, controlled) not in model.family.pipelines:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"Model {model.info.name!r} cannot begin from {_CALLED[task]}: diffusers has no "
            "pipeline of this family for it",
            hint="Begin from words alone.",
        )
    if model.family.modular:
        return painter_of(model, task, scheduler)
    kind = placed(pipeline_class(model.family.pipelines[task, controlled]), model.place.device)
    known = parameters(kind.__init__)
    settings = {name: None if is_part(it) else it for name, it in model.index.items()}
    offered = {**settings, **model.family.fixed, **model.parts, "scheduler": scheduler}
    if network is not None:
        offered["controlnet"] = network
    pipe = kind(**{name: value for name, value in offered.items() if name in known})
    pipe.set_progress_bar_config(disable=True)
    return pipe


def tool_pipeline(model: LoadedModel) -> Any:
    """A plain pipeline whose mixins load LoRAs and IP-Adapters into the shared components."""
    sampler = Sampler.EULER if model.flow else Sampler.DDIM
    return make_pipeline(model, model.family.first[0], None, make_scheduler(model, sampler))


def embedded(model: LoadedModel, tool: Any, words: Words) -> Embedding:
    """A prompt as the family's arguments, read through `tool` where its pipeline does that."""
    family = model.family
    if family.read is not None:
        said = without_numbers(words.text), without_numbers(words.negative)
        return family.read(tool, replace(words, text=said[0], negative=said[1]))
    assert family.embed is not None
    texts = model.heard(words.text).text, model.heard(words.negative).text
    return family.embed(model.parts, model.index, texts)
