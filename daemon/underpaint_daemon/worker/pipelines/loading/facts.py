"""What a recipe says about all that made a result: the model, and the files that are not its own.
Results that differ in any of them are different results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from underpaint.requests import BY_ATTENTION, Prompt, Request, UpscaleRequest
from underpaint.requests.parts import loras_of, parts_of
from underpaint.words import has_numbers
from underpaint_daemon.common.abilities import ABILITIES
from underpaint_daemon.common.adapter_files import find_adapter
from underpaint_daemon.common.control_files import find_control
from underpaint_daemon.common.embedding_files import mentions_none

from ..families.named import NAMED, Named
from ..samplers import is_flow
from .components import LoadedModel
from .digests import file_digest, model_digest

_MOST = 8  # words that a remark names


def model_facts(model: LoadedModel, request: Request) -> dict[str, Any]:
    """name, family, digest; files: digests of LoRAs, ControlNets and embeddings from elsewhere, by
    name. A LoRA that is missing is told of by whoever loads it. Raises RequestError:
    CONTROL_MISSING; BAD_REQUEST for embeddings that are missing or for other models."""
    known = {"name": model.info.name, "family": model.info.family, "digest": model.digest}
    return {**known, "files": _files(model, request)}


def _files(model: LoadedModel, request: Request) -> dict[str, str]:
    controls = request.controls or ()
    named = [control.model for control in controls if control.model and control.scale > 0]
    files = {name: find_control(model.models, name) for name in named}
    if not isinstance(request, UpscaleRequest):
        through = [one.model for one in request.references if one.model]
        read = [name for name in through if name != BY_ATTENTION]
        files |= {name: find_adapter(model.models, name) for name in read}
    files |= {lora.path: Path(lora.path) for lora in loras_of(request)}
    words: Named | None = model.parts.get(NAMED)
    files |= {} if words is None else words.used(texts_of(request))
    return {
        name: _digest(path, model.cache)
        for name, path in files.items()
        if path.is_absolute() and path.exists()
    }


def prompts_of(request: Request) -> list[Prompt]:
    """Every prompt of a request."""
    return [request.prompt, *(one.prompt for one in parts_of(request).values())]


def texts_of(request: Request) -> list[str]:
    """The words of every prompt, and what it shall not show."""
    return [text for one in prompts_of(request) for text in (one.text, one.negative)]


def word_notes(model: LoadedModel, request: Request) -> list[str]:
    """What to tell of words that this model does not read as they are written.

    Raises RequestError(BAD_REQUEST) for an embedding that it cannot read.
    """
    texts, able = texts_of(request), ABILITIES[model.family.name]
    named: Named | None = model.parts.get(NAMED)
    if named is not None:
        return [*named.notes(texts), *_left_out(model, request)]
    mentions_none(texts, f"Model {model.info.name!r} ({able.title})")
    notes = _own_ways(model, request)
    if any(has_numbers(text) for text in texts):
        notes.append(
            f"{able.title} reads no weights: words in (brackets:1.3) count as all others do, and "
            "BREAK breaks nothing."
        )
    return notes


def _own_ways(model: LoadedModel, request: Request) -> list[str]:
    """Of a family that has no file here: what its pipeline does in its own way."""
    name, negative = model.info.name, request.prompt.negative
    notes = list[str]()
    if negative and not model.family.reads_negative:
        notes.append(f"Model {name!r} takes no negative prompt and leaves out {negative!r}.")
    sampler = str(model.scheduler_config.get("_class_name"))
    if model.own_schedule and not is_flow(model.scheduler_config):
        notes.append(f"Model {name!r} paints with the sampler of its folder, {sampler}.")
    return notes


def _left_out(model: LoadedModel, request: Request) -> list[str]:
    """Of prompts with words that a model of few does not know: what it read."""
    readings = [model.heard(prompt.text) for prompt in prompts_of(request)]
    return [
        f"Model {model.info.name!r} knows few words. It leaves out {_listed(one.unknown)} and "
        f"paints \u201c{one.text}\u201d. Larger models read every word."
        for one in readings
        if one.unknown
    ]


def _listed(words: Sequence[str]) -> str:
    return ", ".join((*words[:_MOST], "\u2026") if len(words) > _MOST else words)


def _digest(path: Path, cache: Path) -> str:
    return model_digest(path, cache) if path.is_dir() else file_digest(path)
