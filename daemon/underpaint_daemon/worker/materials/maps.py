"""A material's maps as files: PNGs that renderers and game engines read, each saying how it was
made. Normals are in tangent space, OpenGL (+Y up); heights are 16 bit, 0.5 = the surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint_daemon.common.job_contract import Artifact

from ..provenance import Origin, encode_png

Array = npt.NDArray[Any]
NORMAL_CONVENTION = "tangent space, OpenGL: +X along u, +Y along v (up), +Z outward"
ORM_CONVENTION = "red: ambient occlusion, green: roughness, blue: metallic (glTF)"


@dataclass(frozen=True, slots=True)
class Maps:
    """All maps of one texture, (h, w[, c]) float32, row 0 the top (v = 1).

    base_color (h, w, 3 or 4) sRGB 0..1. roughness, metallic, ao (h, w) 0..1. normal (h, w, 3)
    unit vectors, tangent space. height (h, w) 0..1, 0.5 = the surface. made: how each map came
    about. height_range: metres (of a mesh) or widths of the image (of a flat one) from 0 to 1.
    """

    base_color: Array
    roughness: Array
    metallic: Array
    normal: Array
    height: Array
    ao: Array
    made: Mapping[str, str]
    height_range: float

    def images(self) -> dict[str, Array]:
        """Each map as it is written: uint8, but height uint16."""
        ao, roughness, metallic = (_bytes(m) for m in (self.ao, self.roughness, self.metallic))
        return {
            "base_color": _bytes(self.base_color),
            "roughness": roughness,
            "metallic": metallic,
            # A hair above: what is flat but for rounding is 128, not 127.
            "normal": _bytes(self.normal * 0.5 + 0.50001),
            "height": (self.height.clip(0, 1) * 65535).round().astype(np.uint16),
            "ao": ao,
            "orm": np.dstack([ao, roughness, metallic]),
        }


MAP_NAMES = ("base_color", "roughness", "metallic", "normal", "height", "ao", "orm")


def map_artifacts(
    maps: Maps,
    recipe: Mapping[str, Any],
    origin: Origin,
    *,
    suffix: str = "",
    facts: Mapping[str, Any] | None = None,
    tick: Callable[[], None] = lambda: None,
) -> list[Artifact]:
    """A PNG for each map, named like `roughness{suffix}.png`; `facts` go with each. `tick`: called
    after each; it may raise to stop."""
    made = {**maps.made, "orm": "packed from ao, roughness and metallic"}
    artifacts = []
    for name, image in maps.images().items():
        about = {"map": name, "made": made[name], **_meaning(name, maps)}
        png = encode_png(image, {**recipe, **about}, origin)
        size = {"width": image.shape[1], "height": image.shape[0]}
        artifacts.append(
            Artifact(f"{name}{suffix}.png", "image/png", png, {**size, **about, **(facts or {})})
        )
        tick()
    return artifacts


def _meaning(name: str, maps: Maps) -> dict[str, Any]:
    """Colour space and convention of a map."""
    space = "sRGB" if name == "base_color" else "Non-Color"
    meaning: dict[str, Any] = {"color_space": space}
    if name == "normal":
        meaning["convention"] = NORMAL_CONVENTION
    elif name == "orm":
        meaning["convention"] = ORM_CONVENTION
    elif name == "height":
        meaning["height_range"] = maps.height_range
        meaning["convention"] = "16 bit; 0.5 = the surface"
    return meaning


def _bytes(values: Array) -> Array:
    return np.asarray((np.nan_to_num(values).clip(0, 1) * 255).round(), np.uint8)
