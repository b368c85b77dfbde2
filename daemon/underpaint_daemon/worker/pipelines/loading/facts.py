"""What a recipe says about all that made a result: the model, and the files that are not its own.
Results that differ in any of them are different results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from underpaint.requests import Request

from .components import LoadedModel
from .digests import file_digest, model_digest


def model_facts(model: LoadedModel, request: Request) -> dict[str, Any]:
    """name, family, digest; files: digests of LoRAs and ControlNets from elsewhere, by path.
    Those that are missing are told of by whoever loads them."""
    known = {"name": model.info.name, "family": model.info.family, "digest": model.digest}
    return {**known, "files": _files(model, request)}


def _files(model: LoadedModel, request: Request) -> dict[str, str]:
    controls = request.controls or ()
    named = [control.model for control in controls if control.model and control.scale > 0]
    named += [lora.path for lora in request.loras if Path(lora.path).is_absolute()]
    return {name: _digest(Path(name), model.cache) for name in named if Path(name).exists()}


def _digest(path: Path, cache: Path) -> str:
    return model_digest(path, cache) if path.is_dir() else file_digest(path)
