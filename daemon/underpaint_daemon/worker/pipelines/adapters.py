"""LoRAs: put on for one job, taken off without a trace.

They are never fused into the weights, so the model afterwards is bit for bit the model before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diffusers.loaders import FluxLoraLoaderMixin
from safetensors.torch import load_file

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Lora
from underpaint.requests.curves import curve_at
from underpaint_daemon.common.lora_files import check_lora

from .loading.components import LoadedModel
from .loading.loras import check_shapes, is_idle, laid_on, layers_in, parted, respelled
from .loading.networks import LOAD_ERRORS, first_line
from .loading.packed import is_packed

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
        acting = {name: weight for name, weight in zip(names, weights, strict=True) if weight}
        # A DoRA that weighs nothing would still set the sizes of weights.
        if not acting:
            pipe.disable_lora()
            return
        pipe.enable_lora()
        pipe.set_adapters(list(acting), adapter_weights=list(acting.values()))

    try:
        for name, file in zip(names, files, strict=True):
            _put_on(pipe, model, file, name)
        turn(None)
        yield turn if any(lora.curve for lora in loras) else _nothing
    finally:
        pipe.unload_lora_weights()


def _nothing(part: float | None) -> None:
    """Weights that stay as they are."""


def _put_on(pipe: Any, model: LoadedModel, file: Path, name: str) -> None:
    try:
        _check(pipe, model, file)
        problem = _lay_on(pipe, load_file(file), name)
    except LOAD_ERRORS as error:
        problem = first_line(error)
    except RequestError as error:
        problem = error.message
    if problem:
        raise RequestError(
            ErrorCode.LORA_MISSING, f"The LoRA {file.name} does not fit the model: {problem}"
        )


def _check(pipe: Any, model: LoadedModel, file: Path) -> None:
    width = pipe.unet.config.cross_attention_dim if hasattr(pipe, "unet") else None
    second = getattr(pipe, "text_encoder_2", None) is not None
    check_lora(file, model.family.name, width, has_second_encoder=second)


def _lay_on(pipe: Any, state: dict[str, Any], name: str) -> str:
    """Put a LoRA's tensors on; returns what is wrong with them, or nothing."""
    if is_idle(state):
        return "it does nothing: its alpha is 0"
    component = "unet" if hasattr(pipe, "unet") else "transformer"
    network = getattr(pipe, component)
    text, own = parted(state)
    spelled = respelled(own, network, component) if own else None
    if spelled is not None:
        network.load_lora_adapter(spelled, prefix=component, adapter_name=name)
    elif own and is_packed(network):
        _onto_packed(pipe, own, name)
    else:
        text = state if own else text
    if text:
        pipe.load_lora_weights(text, adapter_name=name)
    networks = {key: part for key, part in pipe.components.items() if hasattr(part, "modules")}
    found, wanted = laid_on(networks, name), layers_in(state)
    if not found:
        return "none of its layers is in the model"
    return f"{wanted - found} of its {wanted} layers are not in the model" * (2 * found < wanted)


def _onto_packed(pipe: Any, state: dict[str, Any], name: str) -> None:
    """What diffusers has to respell, onto packed layers: FLUX' own loader takes the bytes of their
    rows for weights, and would make the layers wider.

    Raises RequestError(LORA_MISSING) for shapes that are not the layers'.
    """
    if not isinstance(pipe, FluxLoraLoaderMixin):
        pipe.load_lora_weights(state, adapter_name=name)
        return
    told, alphas = pipe.lora_state_dict(dict(state), return_alphas=True)
    own = {key: tensor for key, tensor in told.items() if "lora" in key}
    check_shapes(own, pipe.transformer, "transformer")
    pipe.load_lora_into_transformer(
        own, network_alphas=alphas, transformer=pipe.transformer, adapter_name=name, _pipeline=pipe
    )
