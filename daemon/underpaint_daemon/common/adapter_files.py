"""IP-Adapters (Ye et al. 2023) and the image encoders that they read with, as they are published,
told from their headers. No torch.

An adapter is one safetensors file: the layers that turn a picture's features into words
(`image_proj.…`), and keys and values for the attention over them (`ip_adapter.…`). The encoder is
a CLIP of its own, in a folder or a file, and lies wherever its user has put it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from underpaint.errors import ErrorCode, RequestError

from .contents.headers import header
from .model_files import broken, read_json, weight_files
from .single_files import SUFFIX, found_by_name

Shapes = Mapping[str, tuple[int, ...]]
_PLACES = ("", "ip_adapter", "ip_adapters", "ipadapter", "IP-Adapter")
_ENCODER, _ENCODERS = "image_encoder", "clip_vision"
_FACE_ID = ("ip_adapter.0.to_q_lora", "image_proj.perceiver_resampler.")
_HINT = "Give an IP-Adapter of Stable Diffusion 1.5 or XL: plain, plus, plus face or full face."
_ENCODER_HINT = (
    f"Put the folder {_ENCODER} that it was published with beside it, or the encoder's file into a "
    f"folder {_ENCODERS} beside it or among the models."
)


class Form(StrEnum):
    """What an adapter reads of a picture."""

    PLAIN = "plain"
    """Its one embedding (`image_proj.proj`)."""
    PLUS = "plus"
    """The features of its patches, through a resampler (`image_proj.latents`); plus face, too."""
    FULL = "full"
    """The features of its patches, one word each (`image_proj.proj.3`)."""


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """`text_width`: of the words that it makes, the model's own. `image_width`: of what it reads:
    the encoder's embedding (plain), or its hidden states."""

    path: Path
    form: Form
    text_width: int
    image_width: int


def find_adapter(models: Path, name: str) -> Path:
    """Where an IP-Adapter is: a full path, or a name in `models` or its folder of them, with or
    without the suffix. Raises RequestError(CONTROL_MISSING)."""
    return found_by_name(models, name, _PLACES, "IP-Adapter")


def adapters_among(models: Path) -> Iterator[AdapterFile]:
    """The IP-Adapters in a folder of models, by name; what is none is passed over."""
    for place in _PLACES[1:]:
        for file in sorted((models / place).glob(f"*{SUFFIX}")):
            try:
                yield recognise_adapter(file)
            except RequestError:
                continue


def recognise_adapter(path: Path) -> AdapterFile:
    """What a file is, or the first in a folder.

    Raises RequestError(MODEL_BROKEN) that says what it is instead, or what it lacks.
    """
    if path.is_dir():
        files = sorted(path.glob(f"*{SUFFIX}"))
        if not files:
            broken(path, "has no safetensors file")
        path = files[0]
    if path.suffix != SUFFIX:
        _refuse(path, "is not in safetensors")
    shapes = _shapes(path)
    if any(name.startswith(_FACE_ID) for name in shapes):
        _refuse(path, "is a FaceID adapter: it reads a face recogniser, which is not here")
    text = next((s[1] for name, s in shapes.items() if name.endswith("to_k_ip.weight")), None)
    if text is None:
        _refuse(path, "is no IP-Adapter")
    form, width = _form(path, shapes)
    return AdapterFile(path, form, text, width)


def find_encoder(adapter: AdapterFile, models: Path) -> Path:
    """The folder or file of an image encoder that the adapter can read with: beside it, in the
    folders that it is published or used with, or among the models.

    Raises RequestError(CONTROL_MISSING) that says how wide it must be.
    """
    for path in _candidates(adapter.path.parent, models):
        if adapter.image_width == encoder_width(path, adapter.form):
            return path
    what = "an embedding" if adapter.form is Form.PLAIN else "hidden states"
    raise RequestError(
        ErrorCode.CONTROL_MISSING,
        f"{adapter.path} needs an image encoder (CLIP) with {what} {adapter.image_width} wide, and "
        "none is found",
        hint=_ENCODER_HINT,
    )


def encoder_width(path: Path, form: Form) -> int | None:
    """How wide what an encoder gives for a form is; None of what is no encoder."""
    if path.is_file():
        shapes = _shapes(path)
        projection = shapes.get("visual_projection.weight")
        return None if projection is None else projection[0 if form is Form.PLAIN else 1]
    config = read_json(path / "config.json")
    vision = config.get("vision_config", config)
    found = vision.get("projection_dim" if form is Form.PLAIN else "hidden_size")
    return int(found) if found is not None else None


def _candidates(beside: Path, models: Path) -> Iterator[Path]:
    # `models` and `sdxl_models` are the folders of the repository that adapters come from: some of
    # the one read with the encoder of the other.
    above = beside.parent
    for root in (beside, above, above / "models", above / "sdxl_models", models):
        for folder in (root / _ENCODER, root / _ENCODERS):
            if (folder / "config.json").is_file() and weight_files(folder):
                yield folder
    for root in (beside, above, models):
        yield from sorted((root / _ENCODERS).glob(f"*{SUFFIX}"))
        for config in sorted((root / _ENCODERS).glob("*/config.json")):
            yield config.parent


def _form(path: Path, shapes: Shapes) -> tuple[Form, int]:
    for form, told, read in (
        (Form.PLAIN, "proj.weight", "proj.weight"),
        (Form.FULL, "proj.3.weight", "proj.0.weight"),
        (Form.PLUS, "latents", "proj_in.weight"),
    ):
        if f"image_proj.{told}" in shapes:
            return form, shapes[f"image_proj.{read}"][1]
    _refuse(path, "is an IP-Adapter of a kind that is not known here")


def _shapes(file: Path) -> dict[str, tuple[int, ...]]:
    return {name: tuple(entry["shape"]) for name, entry in header(file).items()}


def _refuse(path: Path, problem: str) -> NoReturn:
    raise RequestError(ErrorCode.MODEL_BROKEN, f"{path} {problem}", hint=_HINT)
