"""What lies in a model's folder beside its own parts."""

from __future__ import annotations

from pathlib import Path

from underpaint.requests import ControlKind

CONTROL_PREFIX = "controlnet_"


def controls_in(folder: Path) -> list[str]:
    """The kinds of control that a model's folder has ControlNets of."""
    kinds = [kind.value for kind in ControlKind]
    return [kind for kind in kinds if (folder / f"{CONTROL_PREFIX}{kind}").is_dir()]


def loras_in(folder: Path) -> tuple[str, ...]:
    """The names of the LoRAs in a model's folder."""
    return tuple(sorted(file.stem for file in (folder / "loras").glob("*.safetensors")))


def megabytes(place: Path) -> float:
    """Of a file, or of all files in a folder."""
    files = [place] if place.is_file() else [one for one in place.rglob("*") if one.is_file()]
    return round(sum(file.stat().st_size for file in files) / 1e6, 1)


def licence_in(folder: Path) -> str:
    """From the model card's front matter, else the first line of a licence file."""
    card = folder / "README.md"
    if card.is_file():
        for line in card.read_text("utf-8", errors="replace").splitlines()[:50]:
            if line.startswith(("license:", "licence:")):
                return line.partition(":")[2].strip()
    for file in sorted(folder.glob("LICEN[SC]E*")):
        text = file.read_text("utf-8", errors="replace").strip()
        return text.splitlines()[0].strip() if text else ""
    return ""
