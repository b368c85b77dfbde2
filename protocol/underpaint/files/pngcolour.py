"""What a PNG says its colours are, beside a profile: cICP, else gAMA and cHRM (PNG 3, § 4.3)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..srgb import linear, srgb
from .floatfile import to_rec709
from .refusal import refused

Image8 = npt.NDArray[np.uint8]
_WHITE = (0.3127, 0.329)
_PRIMARIES = {
    1: (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, *_WHITE),
    9: (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, *_WHITE),
    12: (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, *_WHITE),
}
"""By H.273's numbers: Rec.709, Rec.2020, Display P3; x and y of red, green, blue, white."""
_PQ, _HLG = 16, 18
_USUAL_GAMMA = 0.45455
_PLAIN = 5e-3
_MOST_CHUNKS = 64


@dataclass(frozen=True, slots=True)
class Colours:
    """primaries: as in `_PRIMARIES`; gamma: of the stored values, 0 = sRGB's curve."""

    primaries: tuple[float, ...] = _PRIMARIES[1]
    gamma: float = 0.0

    @property
    def usual(self) -> bool:
        return not self.gamma and np.allclose(self.primaries, _PRIMARIES[1], atol=2e-3)


def colours_of(path: Path, info: dict[Any, Any]) -> Colours:
    """What the file says; sRGB where it says nothing, or has a profile. Raises RequestError(FILE)
    where its light is brighter than a picture's white."""
    said = _cicp(path)
    if said is not None and said[1] in (_PQ, _HLG):
        raise refused(path, "is an HDR picture (PQ or HLG)", "Save it as sRGB, or as EXR.")
    if said is not None and said[0] in _PRIMARIES:
        return Colours(_PRIMARIES[said[0]])
    if info.get("icc_profile") or "srgb" in info:
        return Colours()
    gamma, white = info.get("gamma") or 0.0, info.get("chromaticity") or ()
    given = not 0.1 < gamma < 10 or abs(gamma - _USUAL_GAMMA) < _PLAIN
    sound = len(white) == 8 and all(0 < value < 1 for value in white)
    primaries = (*white[2:], *white[:2]) if sound else _PRIMARIES[1]
    return Colours(primaries, 0.0 if given else float(gamma))


def shown(pixels: Image8, colours: Colours) -> Image8:
    """Pixels (h, w, 1–4) of these colours as sRGB; alpha stays."""
    if colours.usual:
        return pixels
    steps = np.linspace(0, 1, 256)
    light = steps ** (1 / colours.gamma) if colours.gamma else linear(steps)
    count = pixels.shape[2] - (1 - pixels.shape[2] % 2)
    out = pixels.copy()
    if count == 1:
        out[..., :1] = _bytes(light)[pixels[..., :1]]
        return out
    matrix = to_rec709(colours.primaries)
    for row in range(len(pixels)):  # in doubles it takes several times the picture
        out[row, :, :3] = _bytes(light[pixels[row, :, :3]] @ matrix.T)
    return out


def _bytes(light: npt.NDArray[np.float64]) -> Image8:
    return np.asarray(srgb(light.clip(0, 1)) * 255 + 0.5, np.uint8)


def _cicp(path: Path) -> tuple[int, int] | None:
    """Primaries and transfer function of the cICP chunk."""
    with path.open("rb") as stream:
        if stream.read(8) != b"\x89PNG\r\n\x1a\n":
            return None
        for _ in range(_MOST_CHUNKS):
            head = stream.read(8)
            if len(head) < 8 or head[4:] == b"IDAT":
                return None
            if head[4:] == b"cICP":
                data = stream.read(4)
                return (data[0], data[1]) if len(data) == 4 else None
            stream.seek(struct.unpack(">I", head[:4])[0] + 4, 1)
    return None
