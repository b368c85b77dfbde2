"""`--control KIND[=IMAGE][@NETWORK][:SCALE[:START[:END]]][:OPTION=VALUE]`.

Paths may hold spaces, dots, colons, `@`, `=` and any script: where a path ends is settled by what
exists on the disk.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from ...buffers import Buffers, Kind
from ...errors import ErrorCode, RequestError
from ...files.imagefile import read_color
from ...following.drawing import Drawing, DrawnFrom, drawn
from ...following.sights import Sighted
from ...requests import Control, ControlKind
from ..options import grouped, is_number
from ..output import picture

FORM = "KIND[=IMAGE][@NETWORK][:SCALE[:START[:END]]][:OPTION=VALUE]"
NONE = "none"
HELP = f"""\
a ControlNet; KIND is one of {", ".join(ControlKind)}.
NETWORK: a ControlNet, Union network or T2I-Adapter of your own, a folder or a
.safetensors file, or its name among the models; else the model's own is taken.
Options: convention=opengl|bae|midas|directx (normals), inverse|linear (depth);
range=NEAR-FAR (metres from white to black); from=objects|armature|annotations: its
picture is drawn of what the scene shows of these, of=NAME,NAME: of which objects or
armatures (scribble:from=objects:of=Chair, openpose:from=armature). Repeat for
several; 'none' for none; default: with a view what the model wants"""
_NUMBERS = 3
_OPTIONS = ("convention", "range", "from", "of")


@dataclass(frozen=True, slots=True)
class _Parts:
    kind: str
    image: str = ""
    network: str = ""
    numbers: tuple[float, ...] = ()
    options: dict[str, str] = field(default_factory=dict)


def add_control(parser: argparse.ArgumentParser) -> None:
    """`--control`; `controls_of` reads it."""
    group = grouped(parser, "what it follows")
    group.add_argument("--control", action="append", default=[], metavar=FORM, help=HELP)


def controls_of(
    texts: Sequence[str], buffers: Buffers, *, drawn: bool = False
) -> tuple[Control, ...] | None:
    """The controls that all `--control` mean; None, what the model wants, when there is none.
    `drawn`: pictures may be drawn of a scene, see `drawings_of`.

    Raises RequestError.
    """
    if not texts:
        return None
    return tuple(control_of(text, buffers, drawn=drawn) for text in texts if text != NONE)


def control_of(text: str, buffers: Buffers, *, drawn: bool = False) -> Control:
    """The control that one `--control` means; its image goes into `buffers`.

    Raises RequestError.
    """
    parts = _parts(text)
    if parts.kind not in list(ControlKind):
        _refuse(text, f"{parts.kind!r} is not one of {', '.join(ControlKind)}")
    if "from" in parts.options and not drawn:
        _refuse(text, "from= is for pictures of a view: generate and render")
    image = buffers.add(Kind.COLOR, picture(Path(parts.image), read_color)) if parts.image else None
    defaults = (1.0, 0.0, 1.0)
    scale, start, end = (*parts.numbers, *defaults[len(parts.numbers) :])
    return Control(
        ControlKind(parts.kind),
        scale=scale,
        start=start,
        end=end,
        image=image,
        model=from_root(parts.network),
        convention=parts.options.get("convention"),
        depth_range=_range(text, parts.options.get("range")),
    )


def drawings_of(texts: Sequence[str]) -> tuple[Drawing | None, ...]:
    """How the picture of each control that all `--control` mean is drawn of the scene; None where
    it is not. Raises RequestError."""
    return tuple(_drawing(text) for text in texts if text != NONE)


def _drawing(text: str) -> Drawing | None:
    parts = _parts(text)
    source, names = parts.options.get("from"), parts.options.get("of", "")
    if source is None:
        if names:
            _refuse(text, "of= needs from=objects or from=armature")
        return None
    if source not in list(DrawnFrom):
        _refuse(text, f"from={source}: expected {', '.join(DrawnFrom)}")
    if parts.image:
        _refuse(text, "its picture is an image already; leave out the image, or from=")
    shows = tuple(name.strip() for name in names.split(",") if name.strip())
    if source == DrawnFrom.OBJECTS and not shows:
        _refuse(text, "which objects? Give their names: of=NAME,NAME")
    return Drawing(DrawnFrom(source), shows)


def with_drawings(
    controls: tuple[Control, ...] | None,
    drawings: tuple[Drawing | None, ...],
    seen: Sighted,
    buffers: Buffers,
) -> tuple[Control, ...] | None:
    """The controls with the pictures that are drawn of a view, which go into `buffers`. Raises
    RequestError(BAD_REQUEST) where it shows nothing of what is to be drawn."""
    if controls is None:
        return None
    return tuple(
        control
        if drawing is None
        else replace(control, image=buffers.add(Kind.COLOR, drawn(control.kind, drawing, seen)))
        for control, drawing in zip(controls, drawings, strict=True)
    )


def _parts(text: str) -> _Parts:
    """The first reading whose paths exist, else the first of all."""
    readings = list(_readings(text))
    for parts in readings:
        if all(Path(path).exists() for path in (parts.image, parts.network) if path):
            return parts
    if not readings:
        _refuse(text, f"expected {FORM}")
    return _by_name(readings)


def _by_name(readings: list[_Parts]) -> _Parts:
    """Networks may be named; images must exist: prefer a reading whose image is a file."""
    for parts in readings:
        if parts.network and not (parts.image and not Path(parts.image).is_file()):
            return parts
    return readings[0]


def _readings(text: str) -> Iterator[_Parts]:
    """Every way to read an option, those with most numbers at the end first."""
    found = re.match(r"\s*([a-z_0-9]+)", text)
    kind = found[1] if found else text.partition(":")[0]
    rest = text[found.end() :] if found else ""
    for body, numbers, options in _tails(rest):
        if not body:
            yield _Parts(kind, "", "", numbers, options)
        elif body[0] in "=@" and len(body) > 1:
            for image, network in _paths(body):
                yield _Parts(kind, image, network, numbers, options)


def _tails(rest: str) -> Iterator[tuple[str, tuple[float, ...], dict[str, str]]]:
    """The text before its numbers and options, for every number of words taken from its end."""
    words = rest.split(":")
    for count in range(len(words) - 1, -1, -1):
        split = len(words) - count
        taken = words[split:]
        numbers = [word for word in taken if is_number(word)]
        named = [word.partition("=") for word in taken if not is_number(word)]
        if len(numbers) <= _NUMBERS and all(name in _OPTIONS and eq for name, eq, _ in named):
            options = {name: value for name, _, value in named}
            yield ":".join(words[:split]), tuple(map(float, numbers)), options


def _paths(body: str) -> Iterator[tuple[str, str]]:
    """Image and network in `=IMAGE`, `@NETWORK`, or both in either order."""
    first, other = (body[0], "@" if body[0] == "=" else "=")
    inner = body[1:]
    pairs = [(inner, "")]
    pairs += [(inner[:i], inner[i + 1 :]) for i, c in enumerate(inner) if c == other and i]
    for here, there in pairs:
        yield (here, there) if first == "=" else (there, here)


def from_root(network: str) -> str | None:
    """A name as it is; a path from here as one from the root, since the daemon is elsewhere."""
    if not network:
        return None
    path = Path(network).expanduser()
    is_path = len(path.parts) > 1 or path.exists()
    return str(path.absolute()) if is_path else network


def _range(text: str, words: str | None) -> tuple[float, float] | None:
    if words is None:
        return None
    near, _, far = words.partition("-")
    if not (is_number(near) and is_number(far)):
        _refuse(text, f"range {words!r}: expected metres, NEAR-FAR")
    return float(near), float(far)


def _refuse(text: str, problem: str) -> NoReturn:
    raise RequestError(ErrorCode.BAD_REQUEST, f"--control {text}: {problem}")
