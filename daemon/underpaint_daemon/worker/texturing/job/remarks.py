"""Figures of a result that are out of their range, in words: a number alone warns nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..surface.uvcheck import UvReport

_NEXT_TO_NOTHING, _MUCH, _FEW_VIEWS = 0.02, 0.1, 6


@dataclass(frozen=True, slots=True)
class _Range:
    """A figure's name, what is usual, and the sentence for what is not; `{}` is the figure."""

    name: str
    low: float
    high: float
    said: str


_RANGES = (
    _Range(
        "coverage_fraction", 0.8, 1.0,
        "The views saw only {:.0%} of the surface; the rest was filled from around it.",
    ),
    _Range(
        "sharpness_ratio", 0.0, 1.5,
        "The texture is {:.1f} times as busy as the views it was painted from: it looks speckled. "
        "That is so where a UV map is in very many pieces, or the texture is too small for it: "
        "unwrap the mesh into fewer pieces, or ask for a larger texture.",
    ),
    _Range(
        "sharpness_ratio", 0.5, float("inf"),
        "The texture holds only {:.0%} of the detail of its views: it is blurred. Ask for a larger "
        "texture, or for a UV map that fills its tile better.",
    ),
    _Range(
        "overlap_psnr_db", 12.0, float("inf"),
        "Where views overlap they agree only to {:.0f} dB: ghosts and seams are likely. More "
        "steps, or the method sync, bring them together.",
    ),
    _Range(
        "uv_charts_per_triangle_ratio", 0.0, 1 / 20,
        "The UV map that was made has a piece for every {inverse:.0f} triangles: the surface is "
        "too rough to unwrap well. Smooth or remesh it, or unwrap it by hand.",
    ),
    _Range(
        "uv_stretch", 0.0, 2.0,
        "The UV map that was made is stretched {:.1f}-fold on average; some parts get few texels.",
    ),
)  # fmt: skip


def why_unseen(uv: UvReport, views: int, texels: int) -> str:
    """Why the views saw little of a surface, by its UV map and their number, with the fix."""
    if texels == 0 or uv.used < _NEXT_TO_NOTHING:
        return (
            f"The UV map covers only {uv.used:.2%} of its tile and leaves next to no texels: scale "
            "the UVs up to fill it, or remove the UV map to have one made."
        )
    if uv.crossing > _MUCH:
        return (
            f"{uv.crossing:.0%} of the UV map lies over the borders of its tile and repeats: scale "
            "the UVs into the tile."
        )
    if uv.overlap > _MUCH:
        return (
            f"{uv.overlap:.0%} of the texels paint several places at once, and a texel counts "
            "where its first place is: make a UV map without overlaps."
        )
    if views < _FEW_VIEWS:
        return f"There were {views} views: more see more."
    return (
        "What no view reaches lies inside or behind other parts, or is a speck beside something "
        "far off: hide or remove those, or paint it by itself."
    )


def remarks(
    figures: Mapping[str, Any], *, covering: bool = True, uv: UvReport | None = None
) -> list[str]:
    """A sentence for each figure that is known and out of its range. covering: the job was to
    paint the whole surface. uv: what its UV map does, where that is known."""
    found = []
    for usual in _RANGES:
        value = figures.get(usual.name)
        if value is None or value != value or usual.low <= value <= usual.high:
            continue
        if usual.name == "coverage_fraction" and not covering:
            continue
        said = usual.said.format(value, inverse=1 / value if value else float("inf"))
        if usual.name == "coverage_fraction" and uv is not None:
            said += " " + why_unseen(uv, figures.get("views", 0), figures.get("texels", 1))
        found.append(said)
    return found
