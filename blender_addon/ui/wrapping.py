"""Text in lines as wide as the letters that Blender draws, of any script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_POINTS = 11
_FONT = 0
_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef"
# A letter of East Asia may end a line, but what closes stays behind it and what opens before it.
_PIECE = re.compile(rf"[「『（【]*[{_WIDE}][」』）】。、，：；！？…～]*\s*|[^\s{_WIDE}]+\s*|\s+")
_MORE = " …"


def width_of(text: str) -> float:
    """Pixels of a text in the interface's font, at scale 1."""
    import blf  # Blender's; all else here works without

    blf.size(_FONT, _POINTS)
    return float(blf.dimensions(_FONT, text)[0])


def wrapped(
    text: str, width: float, most: int, measure: Callable[[str], float] = width_of
) -> list[str]:
    """A text in at most `most` lines of at most `width` pixels; what is left over ends in `…`."""
    lines = list(_lines(" ".join(text.split()), width, measure))
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and measure(last + _MORE) > width:
        last = last[:-1].rstrip()
    return [*lines[: most - 1], last + _MORE]


def _lines(text: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    line = ""
    for piece in _PIECE.findall(text):
        if line and measure((line + piece).rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += piece
        while measure(line.rstrip()) > width and len(line) > 1:
            cut = next(n for n in range(len(line), 0, -1) if n == 1 or measure(line[:n]) <= width)
            yield line[:cut]
            line = line[cut:]
    if line.strip():
        yield line.rstrip()
