"""LoRAs: put on for one job, taken off without a trace.

They are never fused into the weights, so the model afterwards is bit for bit the model before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Lora
from underpaint.requests.curves import curve_at
from underpaint_daemon.common.lora_files import check_lora

from .loading.components import LoadedModel
from .loading.networks import LOAD_ERRORS

Turn = Callable[[float | None], None]
"""Sets LoRAs to what they weigh at a part (0–1) of the steps; None: to their weights themselves."""


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
def with_loras(pipe: Any, model: LoadedModel, loras: Sequence[Lora]) -> Iterator[Turn]:
    """Put LoRAs on the components of `pipe` for the time of the block; yields what turns them to
    their weights at a part of the steps.

    Raises RequestError(LORA_MISSING) when a file is missing or does not fit the model.
    """
    files = [lora_file(model, lora) for lora in loras]
    if not files:
        yield _nothing
        return
    names = [f"lora_{i}" for i in range(len(files))]

    def turn(part: float | None) -> None:
        factors = [1.0 if part is None else curve_at(lora.curve, part) for lora in loras]
        weights = [lora.weight * factor for lora, factor in zip(loras, factors, strict=True)]
        pipe.set_adapters(names, adapter_weights=weights)

    try:
        for name, file in zip(names, files, strict=True):
            _put_on(pipe, file, name)
        turn(None)
        yield turn if any(lora.curve for lora in loras) else _nothing
    finally:
        pipe.unload_lora_weights()


def _nothing(part: float | None) -> None:
    """Weights that stay as they are."""


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
