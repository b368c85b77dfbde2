"""Pipelines of diffusers that Underpaint has no file for: which of them paint pictures from words,
told by the names of their classes alone. No torch."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from underpaint.errors import ErrorCode, RequestError

_SUFFIX, _MODULAR = "Pipeline", "ModularPipeline"
# Words in the names of those that do not, by what they are.
_OTHERS = (
    ("a model for other programs (ONNX, Flax)", ("Flax", "Onnx")),
    (
        "a model of videos",
        ("Allegro", "AnimateDiff", "AnyFlow", "ChronoEdit", "CogVideo", "ConsisID", "Cosmos",
         "EasyAnimate", "Echo", "Framepack", "Helios", "HunyuanVideo", "HunyuanSkyreels", "I2V",
         "Kandinsky6", "LTX", "Latte", "Lucy", "MiniMax", "Mochi", "PIA", "SanaWM", "SkyReels",
         "T2V", "Video", "Wan"),
    ),
    ("a model of sound", ("AceStep", "Audio", "DanceDiffusion", "Music", "Spectrogram")),
    ("a model of text", ("DiffusionGemma", "LLaDA")),
    ("a model of shapes", ("RFD4", "Shap")),
    ("it tells depth, normals or materials of a picture", ("Marigold",)),
    ("one half of a model of two", ("Decoder", "Prior")),
    ("it makes pictures larger", ("SuperResolution", "Upscale")),
    ("it learnt pictures without words",
     ("ConsistencyModelPipeline", "DDIM", "DDPM", "DiTPipeline", "KarrasVe", "LDMPipeline", "PNDM",
      "RePaint", "ScoreSdeVe")),
    (
        "it begins from pictures",
        ("BlipDiffusion", "ControlNet", "Controlnet", "ControlPipeline", "CycleDiffusion", "Edit",
         "I2I", "ImageVariation", "Img2Img", "Inpaint", "Layered", "PaintByExample", "Refiner",
         "VersatileDiffusionPipeline", "DualGuided", "VisualCloze"),
    ),
    ("one half of a model of two",
     ("KandinskyPipeline", "KandinskyV22Pipeline")),
    ("a name for several", ("DiffusionPipeline",)),
)  # fmt: skip
_PAINTS_YET = (
    "Cosmos2TextToImagePipeline", "LatentConsistencyModelPipeline",
    "StableDiffusionPipeline", "AltDiffusionPipeline",
)  # fmt: skip
# Those that diffusers has a way from pictures for.
_FROM_PICTURES = (
    "AltDiffusion", "Amused", "IF", "Kandinsky3", "KandinskyCombined", "KandinskyV22Combined",
    "Kolors", "SanaSprint", "StableDiffusion3PAG",
)  # fmt: skip
_MODULAR_FROM_PICTURES = (
    "Anima", "Flux", "QwenImage", "StableDiffusion3", "StableDiffusionXL", "ZImage",
)  # fmt: skip


def family_of_foreign(name: str) -> str | None:
    """The row of a pipeline's class in the table of abilities; None of what paints no pictures from
    words."""
    if other_than_painter(name) is not None:
        return None
    if name.endswith(_MODULAR):
        image = name.removesuffix(_MODULAR) in _MODULAR_FROM_PICTURES
        return "modular" if image else "modular_text"
    return "auto_image" if name.removesuffix(_SUFFIX) in _FROM_PICTURES else "auto"


def other_than_painter(name: str) -> str | None:
    """What a pipeline is that paints no pictures from words."""
    if not name.endswith(_SUFFIX) or name in (_SUFFIX, _MODULAR):
        return "no pipeline that is known here"
    if name in _PAINTS_YET:
        return None
    return next((what for what, words in _OTHERS if _has(name, words)), None)


def _has(name: str, words: Sequence[str]) -> bool:
    """Whether a class's name has one of the words; one that ends as a class does is all of it."""
    return any(word == name if word.endswith(_SUFFIX) else word in name for word in words)


@functools.cache
def room_of_diffusers(name: str) -> str | None:
    """Where diffusers keeps a pipeline with parts of its own, below its `pipelines`: an index names
    such a room in place of a library. None of any other name."""
    spec = find_spec("diffusers")
    if spec is None or spec.origin is None or not name.isidentifier():
        return None
    rooms = Path(spec.origin).parent / "pipelines"
    places = {name: rooms / name, f"deprecated.{name}": rooms / "deprecated" / name}
    return next((room for room, it in places.items() if (it / "__init__.py").is_file()), None)


def refuse_no_painter(place: Path, name: str) -> NoReturn:
    """Raise RequestError(MODEL_BROKEN) that says what a pipeline is."""
    raise RequestError(
        ErrorCode.MODEL_BROKEN,
        f"{place} names the pipeline {name!r}: {other_than_painter(name)}",
        hint="Take a model that paints pictures from words.",
    )
