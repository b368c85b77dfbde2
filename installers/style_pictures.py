"""The small pictures of the add-on's styles: the starter paints one house, and the style's manner
is drawn over it. The starter knows no styles: the pictures are signs, each until the artist has
painted in it.

    python installers/style_pictures.py [--out blender_addon/styles/pictures]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from contact_sheet import Panel, grid_sheet
from manners.looks import Pixels, Scene
from manners.matter import MATTER
from manners.media import MEDIA
from PIL import Image
from sheets import form_of, paint, scene_of

import underpaint
from underpaint import Sampling

ROOT = Path(__file__).resolve().parent.parent
STYLES = ROOT / "blender_addon" / "styles"
SIDE, QUALITY = 96, 82
_COLUMNS = 6
_FORM, _PROMPT = "house", "a red brick house"


def scene(seed: int) -> Scene:
    """The house as the starter paints it, with what is known of it."""
    with underpaint.connect() as up:
        panel = paint(up, form_of(_FORM), _PROMPT, Sampling(seed=seed))
    return known(panel.picture)


def known(picture: npt.NDArray[np.uint8]) -> Scene:
    """A painting of the house, (256, 256, 3), with what the renderer knows of it."""
    sample = scene_of(_FORM)
    depth = np.where(np.isfinite(sample.depth), sample.depth, np.nan)
    far = (depth - np.nanmin(depth)) / (np.nanmax(depth) - np.nanmin(depth))
    return Scene(
        rgb=picture.astype(np.float32) / 255,
        normal=sample.normal,
        thing=(sample.object_id >= 2).astype(np.float32),
        ground=(sample.object_id == 1).astype(np.float32),
        far=np.nan_to_num(far, nan=1.0).astype(np.float32),
    )


def drawn(seen: Scene) -> list[Panel]:
    """A picture for each of our styles, in their order."""
    manners = {**MEDIA, **MATTER}
    styles = json.loads((STYLES / "styles.json").read_text(encoding="utf-8"))
    return [Panel(style["name"], _shown(manners[style["name"]](seen))) for style in styles]


def save(panels: list[Panel], out: Path) -> int:
    """Write one small file for each; the bytes of all."""
    out.mkdir(parents=True, exist_ok=True)
    sizes = []
    for panel in panels:
        file = out / f"{panel.label.replace(' ', '_')}.jpg"
        small = Image.fromarray(panel.picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        small.save(file, quality=QUALITY, optimize=True)
        sizes.append(file.stat().st_size)
    return sum(sizes)


def _shown(picture: Pixels) -> npt.NDArray[np.uint8]:
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=STYLES / "pictures")
    parser.add_argument("--sheet", type=Path, help="all of them on one sheet, to look at")
    parser.add_argument("--painted", type=Path, help="a painting of the house made before")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.painted:
        seen = known(np.asarray(Image.open(options.painted).convert("RGB")))
    else:
        seen = scene(options.seed)
    panels = drawn(seen)
    print(f"{options.out}: {len(panels)} pictures, {save(panels, options.out) / 1000:.0f} kB")
    if options.sheet:
        rows = [panels[at : at + _COLUMNS] for at in range(0, len(panels), _COLUMNS)]
        grid_sheet(rows).save(options.sheet)


if __name__ == "__main__":
    main()
