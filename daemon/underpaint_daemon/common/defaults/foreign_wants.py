"""What models want whose pipelines Underpaint has no file for.

Sources: the defaults of diffusers' pipelines, where their makers put them; for the distilled the
model cards (Hunyuan-DiT: 25 steps; HunyuanImage 2.1: 8; ERNIE-Image: 8 without guidance) and
HiDream's own inference.py (Dev 28 and Fast 16 steps without guidance).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..model_files import side_of
from .distilled import words_of
from .wants import Wants

_SUFFIX, _PERTURBED = "Pipeline", "PAG"
_TOLD = "default_sample_size"  # of an index that says the side itself
_CONFIGS = 0  # in place of a side: what the denoiser's config says
_LARGE = 1024
_ROWS: Mapping[str, tuple[int, float, int]] = {
    "AltDiffusion": (50, 7.5, 512), "Amused": (12, 10.0, 256), "AuraFlow": (50, 3.5, _LARGE),
    "Bria": (30, 5.0, _LARGE), "BriaFibo": (30, 5.0, _LARGE), "BriaFibo2": (30, 5.0, _LARGE),
    "CogView3Plus": (50, 5.0, _CONFIGS), "CogView4": (50, 5.0, _CONFIGS),
    "CogView4Control": (50, 5.0, _CONFIGS), "Cosmos2TextToImage": (35, 7.0, _LARGE),
    "DreamLite": (30, 3.5, _LARGE), "DreamLiteMobile": (4, 1.0, _LARGE),
    "ErnieImage": (50, 4.0, _LARGE), "Flux2KleinKV": (4, 1.0, _LARGE),
    "GlmImage": (50, 1.5, _LARGE), "HiDreamImage": (50, 5.0, _LARGE),
    "HunyuanDiT": (50, 5.0, _CONFIGS), "HunyuanImage": (50, 3.25, 2048), "IF": (100, 7.0, 64),
    "Ideogram4": (48, 5.0, 2048), "Kandinsky3": (25, 3.0, _LARGE),
    "Kandinsky5T2I": (50, 3.5, _LARGE), "KandinskyCombined": (100, 4.0, 512),
    "KandinskyV22Combined": (100, 4.0, 512), "Kolors": (50, 5.0, _CONFIGS),
    "Krea2": (28, 4.5, _LARGE), "LDMTextToImage": (50, 1.0, 256),
    "LongCatImage": (50, 4.5, _LARGE), "Lumina": (30, 4.0, _LARGE), "Lumina2": (30, 4.0, _LARGE),
    "NucleusMoEImage": (50, 4.0, _LARGE), "OmniGen": (50, 2.5, _LARGE),
    "OvisImage": (50, 5.0, _LARGE), "PRX": (28, 4.0, 512), "PRXPixel": (28, 4.0, _LARGE),
    "PixArtAlpha": (20, 4.5, _CONFIGS), "PixArtSigma": (20, 4.5, _CONFIGS),
    "QwenImage21": (40, 1.0, _LARGE), "Sana": (20, 4.5, _LARGE), "SanaSprint": (2, 4.5, _LARGE),
    "SemanticStableDiffusion": (50, 7.5, 512), "StableCascadeCombined": (12, 4.0, _LARGE),
    "StableDiffusion3": (28, 7.0, _LARGE), "StableUnCLIP": (20, 10.0, 768),
    "UniDiffuser": (50, 8.0, 512), "VQDiffusion": (100, 5.0, 256), "UnCLIP": (25, 4.0, 256),
    "VersatileDiffusionTextToImage": (50, 7.5, 512), "WuerstchenCombined": (12, 4.0, _LARGE),
    "ZImageOmni": (50, 5.0, _LARGE),
}  # fmt: skip
"""Steps, guidance and side in pixels, by the pipeline's class."""
_DISTILLED: Mapping[tuple[str, str], tuple[int, float]] = {
    ("HunyuanDiT", "distilled"): (25, 5.0),
    ("HunyuanImage", "distilled"): (8, 3.25),
    ("ErnieImage", "turbo"): (8, 1.0),
    ("HiDreamImage", "dev"): (28, 1.0),
    ("HiDreamImage", "fast"): (16, 1.0),
}
"""Steps and guidance of those that their makers distilled, by class and a word of their names."""


def foreign_wants(place: Path, index: Mapping[str, Any]) -> Wants:
    """What a pipeline's class wants, in a model's folder; nothing of one that is not known."""
    row = _ROWS.get(_stem(index))
    if row is None:
        return Wants()
    steps, guidance, size = row
    told = index.get(_TOLD)
    if isinstance(told, int):
        size = told
    return Wants(size=size or _size_of(place), steps=steps, guidance=guidance)


def distilled_foreign(names: Sequence[str], index: Mapping[str, Any]) -> tuple[str, Wants]:
    """What a distillation is called and wants; ("", Wants()) of a model that is none. `names`: of
    its folder, and of the LoRAs that are laid over it."""
    words = {word for name in names for word in words_of(name)}
    for (stem, word), (steps, guidance) in _DISTILLED.items():
        if stem == _stem(index) and word in words:
            return word.capitalize(), Wants(steps=steps, guidance=guidance)
    return "", Wants()


def _stem(index: Mapping[str, Any]) -> str:
    return str(index.get("_class_name")).removesuffix(_SUFFIX).removesuffix(_PERTURBED)


def _size_of(place: Path) -> int | None:
    part = next((part for part in ("transformer", "unet") if _has(place, part)), None)
    return side_of(place, part) if part and _has(place, "vae") else None


def _has(place: Path, part: str) -> bool:
    return (place / part / "config.json").is_file()
