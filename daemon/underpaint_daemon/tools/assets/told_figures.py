"""The figures of a texture's report as a person reads them: what each is, and what is usual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Figures = Mapping[str, Any]
_COLUMN = 11
_UNMOVED = 1e-5
_TOLD = {
    *("faces_in", "faces_out", "max_position_delta", "max_uv_delta", "texels", "views"),
    *("coverage_fraction", "strict_fraction", "filled_fraction", "beside_fraction"),
    *("bare_fraction", "overlap_psnr_db", "sharpness_ratio", "seconds"),
    "remarks",  # said as notes while it ran
}


def told_figures(quality: Figures) -> Iterator[str]:
    """A report's lines, each with what is usual, where there is such; what is not known here by
    its own name."""
    for name, line in (
        ("seen", _seen(quality)),
        ("filled", _filled(quality)),
        ("agreement", _agreement(quality)),
        ("sharpness", _sharpness(quality)),
        ("mesh", _mesh(quality)),
        ("seconds", _seconds(quality)),
    ):
        if line:
            yield f"{name:<{_COLUMN}}{line}"
    for name, value in sorted(quality.items()):
        if name not in _TOLD:
            shown = f"{value:.4g}" if isinstance(value, float) else value
            yield f"{name:<24}{shown}"


def _seen(figures: Figures) -> str:
    if "coverage_fraction" not in figures:
        return ""
    views = f" by {figures['views']} views" if "views" in figures else ""
    well = f", {figures['strict_fraction']:.0%} well" if "strict_fraction" in figures else ""
    seen = f"{figures['coverage_fraction']:.0%} of what was to be painted"
    return f"{seen}{views}{well} (usual: 80% and more)"


def _filled(figures: Figures) -> str:
    if "filled_fraction" not in figures:
        return ""
    bare = figures.get("bare_fraction", 0.0)
    beside = figures.get("beside_fraction", 0.0)
    return (
        f"{figures['filled_fraction']:.1%} from what is around it, {beside:.1%} from the pixel "
        f"beside it; {bare:.1%} is bare (0 is right)"
    )


def _agreement(figures: Figures) -> str:
    value = figures.get("overlap_psnr_db")
    if value is None or value != value:
        return ""
    return f"{value:.0f} dB where views overlap (usual: 12 and more; below, seams show)"


def _sharpness(figures: Figures) -> str:
    value = figures.get("sharpness_ratio")
    if value is None or value != value:
        return ""
    return f"{value:.2f} of the views' detail (usual: 0.5 to 1.5)"


def _mesh(figures: Figures) -> str:
    if "faces_in" not in figures:
        return ""
    moved = max(figures.get("max_position_delta", 0.0), figures.get("max_uv_delta", 0.0))
    kept = "nothing moved" if moved < _UNMOVED else f"positions or UVs moved by {moved:.2g}"
    return f"{figures['faces_in']} faces in, {figures['faces_out']} out, {kept}"


def _seconds(figures: Figures) -> str:
    seconds: Mapping[str, float] = figures.get("seconds", {})
    return ", ".join(f"{name} {number:.1f}" for name, number in seconds.items())
