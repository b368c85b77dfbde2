"""What each known ControlNet reads: the axes of its normals, the scale of its depth. No torch.

Captures are exact and of one convention (see `underpaint.normals`); a ControlNet sees what its
training data looked like. Which that was is found in this order: what the user says
(`Control.convention`), `underpaint.json` beside the network's files, a known name (`KNOWN`), and
else what most published networks of the kind were trained on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ControlKind

BESIDE = "underpaint.json"


class Convention(StrEnum):
    """How a control image is to be written."""

    OPENGL = "opengl"
    """Normals: red is right, green is up, blue to the viewer. Ours, and the starter's."""
    BAE = "bae"
    """Normals: red is LEFT, green is up, blue to the viewer ("blue is front, red is left, green is
    top": ControlNet 1.1's README; NormalBae, Bae et al. 2021)."""
    MIDAS = "midas"
    """Normals of ControlNet 1.0, blue and red exchanged: blue is left, green is up, red to the
    viewer (slopes of MiDaS' depth, handed over as BGR: gradio_normal2image.py)."""
    DIRECTX = "directx"
    """Normals: red is right, green is DOWN, blue to the viewer."""
    INVERSE = "inverse"
    """Depth: inverse depth, near is white (MiDaS, DPT, Depth Anything)."""
    LINEAR = "linear"
    """Depth: depth itself, near is white, between its percentiles 2 and 85 (ZoeDepth as
    controlnet-aux writes it)."""
    MINUS_ONE = "minus_one"
    """Inpainting: what is to be painted is -1 (ControlNet 1.1's control_v11p_sd15_inpaint)."""
    BLACK = "black"
    """Inpainting: what is to be painted is black (Union ProMax)."""


OF_KIND: Mapping[ControlKind, tuple[Convention, ...]] = {
    ControlKind.NORMAL: (
        Convention.BAE,
        Convention.OPENGL,
        Convention.MIDAS,
        Convention.DIRECTX,
    ),
    ControlKind.DEPTH: (Convention.INVERSE, Convention.LINEAR),
    ControlKind.INPAINT: (Convention.MINUS_ONE, Convention.BLACK),
}
"""The conventions a kind can have; the first is taken when nothing else is known."""


@dataclass(frozen=True, slots=True)
class Known:
    """A published ControlNet: `pattern` is searched in its names, without regard to case."""

    pattern: str
    convention: Convention
    source: str


KNOWN: tuple[Known, ...] = (
    Known(r"normal[-_ ]?bae", Convention.BAE, "lllyasviel/ControlNet-v1-1-nightly, README"),
    Known(r"sd21[-_ ]?normal", Convention.BAE, "thibaud/controlnet-sd21, README: normalbae"),
    Known(r"dsine", Convention.BAE, "Bae & Davison 2024: the frame of NormalBae"),
    Known(
        r"surface[-_ ]?normals", Convention.BAE, "jasperai/Flux.1-dev-Controlnet-Surface-Normals"
    ),
    Known(
        r"(sd[-_ ]?controlnet|control(_v10)?_sd15)[-_ ]normal(?![-_ ]?bae)",
        Convention.MIDAS,
        "lllyasviel/ControlNet, annotator/midas and gradio_normal2image.py; "
        "Mikubill/sd-webui-controlnet issue 71",
    ),
    Known(r"zoe", Convention.LINEAR, "controlnet_aux.zoe: percentiles 2 and 85, 1 - depth"),
    Known(r"union|promax|pro_max", Convention.BLACK, "xinsir6/ControlNetPlus, ProMax examples"),
    Known(r"v11p_sd15_inpaint", Convention.MINUS_ONE, "ControlNet-v1-1-nightly, gradio_inpaint.py"),
)


def convention_of(kind: ControlKind, said: str | None, network: Path | None) -> Convention | None:
    """How a control image of `kind` is to be written for a network's folder or file; None when
    there is but one way. `said`: the user's word. Raises RequestError(BAD_REQUEST) for a word
    that the kind does not know."""
    possible = OF_KIND.get(kind, ())
    word = said if said is not None else _beside(network)
    if word is not None:
        return _named(kind, word, possible, "convention" if said is not None else str(network))
    if not possible:
        return None
    names = " ".join(_names(network))
    for known in KNOWN:
        if known.convention in possible and re.search(known.pattern, names, re.IGNORECASE):
            return known.convention
    return possible[0]


def _named(
    kind: ControlKind, word: str, possible: tuple[Convention, ...], where: str
) -> Convention:
    for convention in possible:
        if word == convention:
            return convention
    known = ", ".join(possible) or "none: there is but one way"
    raise RequestError(
        ErrorCode.BAD_REQUEST, f"{where} {word!r} is not one that {kind} knows ({known})"
    )


def _beside(network: Path | None) -> str | None:
    """What a file beside the network says: `underpaint.json` in its folder, `NAME.underpaint.json`
    beside a single file."""
    if network is None:
        return None
    file = network / BESIDE if network.is_dir() else network.with_suffix(f".{BESIDE}")
    word = _object(file).get("convention")
    return None if word is None else str(word)


def _names(network: Path | None) -> list[str]:
    """What a network is called: its own name, its folder's, and where its config says it is from.

    A model's own network is called by its kind; the model's name says nothing about it.
    """
    if network is None:
        return []
    if network.is_dir():
        return [network.name, str(_object(network / "config.json").get("_name_or_path", ""))]
    return [network.name, network.parent.name]


def _object(file: Path) -> Mapping[str, Any]:
    """A JSON object, empty where there is none. Raises RequestError(MODEL_BROKEN)."""
    if not file.is_file():
        return {}
    try:
        data = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(ErrorCode.MODEL_BROKEN, f"{file} cannot be read: {error}") from error
    return data if isinstance(data, dict) else {}
