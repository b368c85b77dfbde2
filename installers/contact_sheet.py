"""One picture that shows a run: what was captured, the previews, and the painting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

_SMALL, _LARGE, _GAP, _LABEL = 192, 384, 12, 22
_BACKGROUND, _INK = (28, 28, 30), (225, 225, 225)


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture, (h, w, 3) uint8, and the line above it."""

    label: str
    picture: npt.NDArray[Any]


def contact_sheet(captured: list[Panel], painted: list[Panel], previews: int = 3) -> Image.Image:
    """Left: the captured passes above a few previews. Right: the last panel, large."""
    final, steps = painted[-1], painted[:-1]
    rows = [captured, _evenly(steps, previews)]
    columns = max(len(row) for row in rows)
    left = columns * (_SMALL + _GAP)
    right = 2 * (_SMALL + _LABEL) + _GAP - _LABEL
    sheet = Image.new("RGB", (left + right + 2 * _GAP, right + _LABEL + 2 * _GAP), _BACKGROUND)
    for y, row in enumerate(rows):
        for x, panel in enumerate(row):
            top = _GAP + y * (_SMALL + _LABEL + _GAP)
            _place(sheet, panel, _GAP + x * (_SMALL + _GAP), top, _SMALL)
    _place(sheet, final, _GAP + left, _GAP, right)
    return sheet


def grid_sheet(rows: Sequence[Sequence[Panel]], side: int = _SMALL) -> Image.Image:
    """Rows of panels of one size, each with its line above."""
    columns = max(len(row) for row in rows)
    tall = side + _LABEL + _GAP
    size = (columns * (side + _GAP) + _GAP, len(rows) * tall + _GAP)
    sheet = Image.new("RGB", size, _BACKGROUND)
    for y, row in enumerate(rows):
        for x, panel in enumerate(row):
            _place(sheet, panel, _GAP + x * (side + _GAP), _GAP + y * tall, side)
    return sheet


def _evenly(panels: list[Panel], count: int) -> list[Panel]:
    if len(panels) <= count:
        return panels
    return [panels[round(i)] for i in np.linspace(0, len(panels) - 1, count)]


def _place(sheet: Image.Image, panel: Panel, x: int, y: int, side: int) -> None:
    picture = (
        Image.fromarray(panel.picture).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    )
    ImageDraw.Draw(sheet).text((x, y), panel.label, fill=_INK, font=_font(panel.label, side))
    sheet.paste(picture, (x, y + _LABEL))


def _font(label: str, width: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """As large as lets the label stand above its own picture."""
    fonts = [ImageFont.load_default(size=size) for size in range(14, 7, -1)]
    return next((font for font in fonts if font.getlength(label) <= width), fonts[-1])
