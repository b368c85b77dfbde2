"""LoRAs: put on for one job, taken off without a trace.

They are never fused into the weights, so the model afterwards is bit for bit the model before. All
of a job's are on the networks at once; which of them act, and how much, is turned between passes:
over the steps, and for parts of a picture, each of which is asked for in a pass of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diffusers.loaders import FluxLoraLoaderMixin

from underpaint.errors import RequestError
from underpaint.requests import Lora
from underpaint.requests.curves import curve_at
from underpaint_daemon.common.checks.loras import find_lora, unfit
from underpaint_daemon.common.lora_files import check_lora

from .loading.components import LoadedModel
from .loading.loras.layers import (
    check_shapes,
    is_idle,
    laid_on,
    layers_in,
    layers_with_adapters,
    parted,
    respelled,
)
from .loading.loras.on_encoders import off_encoders, onto_encoders
from .loading.loras.reading import read_lora
from .loading.networks import LOAD_ERRORS, first_line
from .loading.packing.packed import is_packed


class Turn:
    """Which of the LoRAs on a model's networks act, and how much: over the steps, and for parts of
    a picture. `names`: of the adapters, by the paths that requests say."""

    def __init__(
        self, layers: Sequence[Any], own: Sequence[Lora], names: Mapping[str, str]
    ) -> None:
        self._layers, self._own, self._names = layers, own, names
        self._at: float | None = None
        self._beside: tuple[Lora, ...] = ()
        self._acting: dict[str, float] | None = None

    def over_steps(self, part: float | None) -> None:
        """As they are at a part (0–1) of the steps; None: by their weights themselves."""
        self._at = part
        self._set()

    def of_part(self, loras: tuple[Lora, ...] = ()) -> None:
        """With a part's own LoRAs beside the request's, from now on; without them again."""
        self._beside = loras
        self._set()

    def _set(self) -> None:
        acting = self._weights()
        if acting == self._acting:
            return
        # As PEFT's own `set_adapter`, `enable_adapters` and `set_scale` would, but not through
        # every module and its gradients: with SDXL that is 5 ms in place of 130, between passes.
        for layer in self._layers:
            # A DoRA that weighs nothing would still set the sizes of weights.
            layer._disable_adapters = not acting
            layer._active_adapter = list(acting)
            for name, weight in acting.items():
                layer.set_scale(name, weight)
        self._acting = acting

    def _weights(self) -> dict[str, float]:
        """What each adapter that acts weighs now; a part's own replace the request's."""
        beside = {self._names[lora.path] for lora in self._beside}
        own = [lora for lora in self._own if self._names[lora.path] not in beside]
        found = dict[str, float]()
        for lora in (*own, *self._beside):
            factor = 1.0 if self._at is None else curve_at(lora.curve, self._at)
            name = self._names[lora.path]
            found[name] = found.get(name, 0.0) + lora.weight * factor
        return {name: weight for name, weight in found.items() if weight}


@contextmanager
def with_loras(
    pipe: Any, model: LoadedModel, loras: Sequence[Lora], of_parts: Iterable[Sequence[Lora]] = ()
) -> Iterator[Turn]:
    """Put LoRAs on the components of `pipe` for the time of the block: the request's, which act,
    and those of its parts, which act when they are turned to.

    Raises RequestError(LORA_MISSING) when a file is missing or does not fit the model.
    """
    every = [*loras, *(lora for part in of_parts for lora in part)]
    if not every:
        yield Turn((), (), {})
        return
    files = {lora.path: find_lora(model.folder, lora.path) for lora in every}
    names = {file: f"lora_{i}" for i, file in enumerate(dict.fromkeys(files.values()))}
    try:
        for file, name in names.items():
            _put_on(pipe, model, file, name)
        networks = [part for part in pipe.components.values() if hasattr(part, "modules")]
        by_path = {path: names[file] for path, file in files.items()}
        turn = Turn(layers_with_adapters(networks), loras, by_path)
        turn.over_steps(None)
        yield turn
    finally:
        pipe.unload_lora_weights()
        off_encoders(pipe)


def _put_on(pipe: Any, model: LoadedModel, file: Path, name: str) -> None:
    try:
        _check(pipe, model, file)
        problem = _lay_on(pipe, read_lora(file), name)
    except LOAD_ERRORS as error:
        problem = first_line(error)
    except RequestError as error:
        problem = error.message
    if problem:
        raise unfit(file, problem)


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
    spelled, left = respelled(own, network, component) if own else None, dict[str, Any]()
    if spelled is not None:
        network.load_lora_adapter(spelled, prefix=component, adapter_name=name)
    elif own and is_packed(network):
        _onto_packed(pipe, own, name)
    else:
        left = own
    if not onto_encoders(pipe, text, name):
        left = state if left else text
    if left:
        pipe.load_lora_weights(left, adapter_name=name)
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
