"""What a file with a UNet alone is, told from its tensors' names and shapes: in diffusers' layout,
or in that of latent-diffusion, which ComfyUI writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from underpaint.errors import ErrorCode, RequestError

from ..single_files import CHANNELS_OF_OTHERS, OTHER_HINT, family_by_channels
from .makes import Make, Shapes

UNET = "UNet2DConditionModel"
_ADDED = ("add_embedding.linear_1.weight", "label_emb.0.0.weight")
_READS = ".attn2.to_k.weight"
_SD2, _REFINER = 1024, 1280  # the widths of their text encoders


def make_of_unet(shapes: Shapes) -> Make:
    """The make of a UNet with weights of these shapes. Raises LookupError for one that reads no
    words by cross-attention."""
    width = _width(shapes)
    if all(name not in shapes for name in _ADDED):
        return _STABLE_DIFFUSION_2 if width == _SD2 else _STABLE_DIFFUSION
    return _XL_REFINER if width == _REFINER else _XL


def configs_for(make: Make) -> str:
    """Which of the shipped configurations are a make's."""
    return _CONFIGS[make.name]


def predicts_one_thing(make: Make) -> bool:
    """Whether all models of a make were made to predict the same, but those that say otherwise. Of
    Stable Diffusion 2 there are two: 768 px predict v, 512 px the noise."""
    return make is not _STABLE_DIFFUSION_2


def refuse_unpaintable(file: Path, config: Mapping[str, Any]) -> NoReturn:
    """Raise RequestError(MODEL_BROKEN): a UNet that is shown what no family here shows it."""
    problem = f"{file} {CHANNELS_OF_OTHERS[config['in_channels']]}"
    raise RequestError(ErrorCode.MODEL_BROKEN, problem, hint=OTHER_HINT)


def _width(shapes: Shapes) -> int:
    """Of the text that it reads."""
    found = next((shape for name, shape in shapes.items() if name.endswith(_READS)), None)
    if found is None:
        raise LookupError("no layer of it reads words")
    return found[-1]


def _first(shapes: Shapes, *names: str) -> tuple[int, ...] | None:
    return next((shapes[name] for name in names if name in shapes), None)


def _config(shapes: Shapes) -> dict[str, Any]:
    first = _first(shapes, "conv_in.weight", "input_blocks.0.0.weight")
    last = _first(shapes, "conv_out.weight", "out.2.weight")
    if first is None or last is None:
        raise LookupError(f"its {'first' if first is None else 'last'} layer is not in it")
    added = _first(shapes, *_ADDED)
    guided = _first(shapes, "time_embedding.cond_proj.weight")  # LCMs whose guidance is an input
    return {
        "in_channels": first[1],
        "out_channels": last[0],
        "cross_attention_dim": _width(shapes),
        "projection_class_embeddings_input_dim": added and added[1],
        "time_cond_proj_dim": guided and guided[1],
    }


def _make(name: str, families: tuple[str, ...]) -> Make:
    def family(config: Mapping[str, Any], words: frozenset[str]) -> str:
        """Empty of what no family here is."""
        del words
        return family_by_channels(families[0], int(config["in_channels"])) or ""

    return Make(name, UNET, families, "input_blocks.", _config, family)


_STABLE_DIFFUSION = _make("Stable Diffusion 1.5", ("sd15", "sd15_edit", "sd2_depth"))
_STABLE_DIFFUSION_2 = _make("Stable Diffusion 2", _STABLE_DIFFUSION.families)
_XL = _make("Stable Diffusion XL", ("sdxl", "sdxl_edit"))
_XL_REFINER = _make("Stable Diffusion XL's refiner", ("sdxl_refiner",))
_CONFIGS = {
    _STABLE_DIFFUSION.name: "sd15",
    _STABLE_DIFFUSION_2.name: "sd2",
    _XL.name: "sdxl",
    _XL_REFINER.name: "sdxl_refiner",
}
