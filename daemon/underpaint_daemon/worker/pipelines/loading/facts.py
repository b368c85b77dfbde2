"""What a recipe says about all that made a result: the model, and the files that are not its own.
Results that differ in any of them are different results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from underpaint.requests import Request
from underpaint_daemon.common.control_files import find_control

from .components import LoadedModel
from .digests import file_digest, model_digest


def model_facts(model: LoadedModel, request: Request) -> dict[str, Any]:
    """name, family, digest; files: digests of LoRAs and ControlNets from elsewhere, by name. A LoRA
    that is missing is told of by whoever loads it. Raises RequestError(CONTROL_MISSING)."""
    known = {"name": model.info.name, "family": model.info.family, "digest": model.digest}
    return {**known, "files": _files(model, request)}


def _files(model: LoadedModel, request: Request) -> dict[str, str]:
    controls = request.controls or ()
    named = [control.model for control in controls if control.model and control.scale > 0]
    files = {name: find_control(model.models, name) for name in named}
    files |= {lora.path: Path(lora.path) for lora in request.loras}
    return {
        name: _digest(path, model.cache)
        for name, path in files.items()
        if path.is_absolute() and path.exists()
    }


def _digest(path: Path, cache: Path) -> str:
    return model_digest(path, cache) if path.is_dir() else file_digest(path)
