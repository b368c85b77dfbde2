"""LoRAs: put on for one job, taken off without a trace.

They are never fused into the weights, so the model afterwards is bit for bit the model before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Lora
from underpaint_daemon.common.lora_files import check_lora

from .loading.components import LoadedModel
from .loading.networks import LOAD_ERRORS


def lora_file(model: LoadedModel, lora: Lora) -> Path:
    """A LoRA's file: a path, or the name of one in the model's loras/ folder.

    Raises RequestError(LORA_MISSING).
    """
    given = Path(lora.path)
    own = model.folder / "loras" / f"{given.stem}.safetensors"
    if given.is_absolute() and given.suffix == ".safetensors" and given.is_file():
        return given
    if given.name == lora.path and own.is_file():
        return own
    names = ", ".join(model.info.loras) or "none"
    raise RequestError(
        ErrorCode.LORA_MISSING, f"There is no LoRA {lora.path!r}; the model's own are: {names}"
    )


@contextmanager
def with_loras(pipe: Any, model: LoadedModel, loras: Sequence[Lora]) -> Iterator[None]:
    """Put LoRAs on the components of `pipe` for the time of the block.

    Raises RequestError(LORA_MISSING) when a file is missing or does not fit the model.
    """
    files = [lora_file(model, lora) for lora in loras]
    if not files:
        yield
        return
    try:
        for i, file in enumerate(files):
            _put_on(pipe, file, f"lora_{i}")
        names = [f"lora_{i}" for i in range(len(files))]
        pipe.set_adapters(names, adapter_weights=[lora.weight for lora in loras])
        yield
    finally:
        pipe.unload_lora_weights()


def _put_on(pipe: Any, file: Path, name: str) -> None:
    try:
        if hasattr(pipe, "unet"):
            second = getattr(pipe, "text_encoder_2", None) is not None
            width = pipe.unet.config.cross_attention_dim
            check_lora(file, width, has_second_encoder=second)
        pipe.load_lora_weights(load_file(file), adapter_name=name)
        fits = any(name in names for names in pipe.get_list_adapters().values())
        problem = "" if fits else "none of its layers is in the model"
    except LOAD_ERRORS as error:
        problem = str(error).strip().splitlines()[0]
    except RequestError as error:
        problem = error.message
    if problem:
        raise RequestError(
            ErrorCode.LORA_MISSING, f"The LoRA {file.name} does not fit the model: {problem}"
        )
