"""Classes of diffusers by the names in a model's index, and whether they can be called here."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import diffusers
import torch

from underpaint_daemon.common.contents.modular import BLOCKS
from underpaint_daemon.common.model_files import INDEX, broken
from underpaint_daemon.common.recognition import is_part, parts_of

from .rooms import pipeline_class

# Packages that pipelines call without having asked whether they are here.
_UNASKED = {
    "OmniGenPipeline": ("torchvision",),
    "PRXPipeline": ("ftfy",),
    "PRXPixelPipeline": ("ftfy",),
}
_OTHER = "Take a model that needs none of them."
_LEFT_OUT = (
    "Its makers leave that part out: put it into a folder of that name, and name its library and "
    "class in model_index.json."
)
_NEEDED = ("text_encoder", "transformer", "unet", "vae")  # of a modular pipeline, where it has them
_OLDER = "Update Underpaint: a newer one may bring a diffusers that knows it."


@functools.cache
def parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """What a function is called with."""
    return inspect.signature(function).parameters


def found_class(name: str, place: Path) -> Any:
    """diffusers' class of that name. `place`: of the model whose index names it. Raises
    RequestError(MODEL_BROKEN)."""
    kind = pipeline_class(name)
    if not inspect.isclass(kind):
        version = diffusers.__version__
        broken(place, f"names {name!r}, which diffusers {version} does not know", _OLDER)
    # diffusers' own stand-in for a class that cannot be imported says what it would need
    wanted = (*getattr(kind, "_backends", ()), *_UNASKED.get(name, ()))
    needs = ", ".join(one for one in wanted if find_spec(one) is None)
    if needs:
        broken(place, f"names {name!r}, which needs packages that are not here: {needs}", _OTHER)
    return kind


def painting_class(name: str, folder: Path) -> Any:
    """The class of a pipeline that a model's index names. Raises RequestError(MODEL_BROKEN) for
    one that makes no picture of words alone."""
    place = folder / INDEX
    kind = found_class(name, place)
    problem = uncallable(kind)
    if problem:
        hint = "Take a model that paints pictures from words."
        broken(place, f"names the pipeline {name!r}, which {problem}", hint)
    return kind


def needed_by(kind: Any) -> set[str]:
    """The parts that a pipeline's class cannot be without."""
    made_of = parameters(kind.__init__).items()
    needed = {name for name, one in made_of if one.default is one.empty}
    return needed - {"self", "args", "kwargs", *kind._optional_components}


def needed_by_blocks(blocks: Any) -> set[str]:
    """Those of a modular pipeline that it paints nothing without."""
    return {one.name for one in blocks.expected_components if one.name in _NEEDED}


def refuse_incomplete(folder: Path, index: Mapping[str, Any], needed: set[str]) -> None:
    """Raise RequestError(MODEL_BROKEN) that names a part which the index leaves out."""
    lacking = sorted(needed - parts_of(folder, index).keys() - index_settings(index))
    if lacking:
        told = f"names no {lacking[0]}, which {index['_class_name']} needs"
        empty = index.get(lacking[0]) == [None, None]  # as HiDream leaves Llama to be fetched
        broken(folder, told, _LEFT_OUT if empty else "Fetch the model again, whole.")


def index_settings(index: Mapping[str, Any]) -> set[str]:
    """What stands in an index and is no part."""
    return {name for name, entry in index.items() if not is_part(entry)}


def uncallable(kind: Any) -> str:
    """Why a pipeline's class makes no picture of words alone; empty where it does."""
    known = parameters(kind.__call__)
    if "prompt" not in known:
        return "takes no words"
    if any("frame" in name for name in known):
        return "makes videos"
    needed = [
        name
        for name, one in known.items()
        if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD
    ]
    more = [name for name in needed if name not in ("self", "prompt")]
    return f"needs more than words: {', '.join(more)}" if more else ""


def blocks_of(index: Mapping[str, Any], place: Path) -> Any:
    """The blocks that an index names; those of its pipeline's class where they are no more than a
    list that was put together by hand, as diffusers does. Raises RequestError(MODEL_BROKEN)."""
    kind = found_class(str(index["_class_name"]), place)
    named = index.get(BLOCKS)
    found = None if named is None else found_class(str(named), place)
    if found is not None and not hasattr(found, "block_classes"):
        broken(place, f"names {named!r} as its blocks, which are none")
    if found is None or not found.block_classes:
        found = getattr(diffusers, kind.default_blocks_name or "", None)
    if found is None:
        broken(place, f"names {index['_class_name']!r}, which has no blocks of its own")
    return found()


@functools.cache
def placed(kind: type[Any], device: torch.device) -> type[Any]:
    """A pipeline's class that knows where it computes; diffusers walks through every module of
    every network, again and again, to find that out: an eighth of a small picture's time."""
    where = property(lambda _pipe: device)
    return type(kind.__name__, (kind,), {"_execution_device": where})
