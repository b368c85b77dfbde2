"""Reference pictures: for families that read them beside the words, for IP-Adapters and for the
attention of UNets.

A family without ControlNets is shown the scene's exact depth and normals as references, as its
makers tell to (FLUX.2: "structural control is achieved through reference images and prompt
instructions", docs.bfl.ai, Pose & Layout Guidance; Qwen-Image-Edit 2509 reads depth, edge and
keypoint maps natively, its model card). The words say which picture is what, by its number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from underpaint.requests import BY_ATTENTION, Control, ControlKind, Reference, ReferenceRole
from underpaint_daemon.common.abilities import ABILITIES
from underpaint_daemon.common.conventions import Convention
from underpaint_daemon.common.refusals import role_of_control

from ..canvas import flatten, resize
from ..controls.images import Sources, control_image
from ..loading.components import LoadedModel
from .seen import Attended

Image8 = npt.NDArray[np.uint8]
Arrays = Mapping[str, npt.NDArray[Any]]
_WORDS: Mapping[ReferenceRole, str] = {
    ReferenceRole.STYLE: "Use the style of image {n}.",
    ReferenceRole.SUBJECT: "Show the subject of image {n}.",
    ReferenceRole.DEPTH: "Follow the depth map in image {n}: match its shapes, composition and "
    "camera exactly.",
    ReferenceRole.NORMAL: "Follow the surface normals in image {n}.",
    ReferenceRole.COLOR: "Keep the layout and the colors of image {n}.",
    ReferenceRole.SKETCH: "Follow the lines of image {n}.",
}
_LEAST, _LONGEST = 64, 8  # pixels a side; times the other side
_OF_FORM = (ReferenceRole.DEPTH, ReferenceRole.NORMAL, ReferenceRole.SKETCH)
_EXACT = {ReferenceRole.DEPTH: ControlKind.DEPTH, ReferenceRole.NORMAL: ControlKind.NORMAL}


@dataclass(frozen=True, slots=True)
class Beside:
    """What is read beside the prompt: `pictures` (PIL), and `words` to end the prompt with.
    `given`: how many of them, the first, do not come from a view.
    `adapter`: one for an IP-Adapter, (h, w, 3 or 4) uint8, its scale, and which adapter it goes
    `through`; None leaves that to the model; `part`: of the steps in which it acts.
    `attended`: those for a UNet's own attention."""

    pictures: tuple[Any, ...] = ()
    words: str = ""
    given: int = 0
    adapter: Image8 | None = None
    scale: float = 0.0
    through: str | None = None
    part: tuple[float, float] = (0.0, 1.0)
    attended: tuple[Attended, ...] = ()


def read_beside(
    model: LoadedModel,
    references: Sequence[Reference],
    controls: Sequence[Control],
    sources: Sources,
) -> Beside:
    """A request's references, and the controls that its family reads as such."""
    if model.family.read is None:
        return adapted(references, sources.arrays)
    shown = [(r.role, _picture(r, sources)) for r in references]
    for control in controls:
        role = role_of_control(control.kind, model.family.name)
        if role is not None and control.scale > 0:
            shown.append((role, _exact(control, sources)))
    words = [_WORDS[role].format(n=i) for i, (role, _) in enumerate(shown, 1)]
    several = ABILITIES[model.family.name].references > 1
    # The one picture of an editor is what the words are about, unless it is a map of the form.
    said = several or any(role in _OF_FORM for role, _ in shown)
    pictures = tuple(Image.fromarray(readable(picture)) for _, picture in shown)
    given = sum(reference.image is not None for reference in references)
    return Beside(pictures, " ".join(words) if said else "", given)


def through_networks(controls: Sequence[Control], family: str) -> tuple[Control, ...]:
    """The controls that act through networks."""
    return tuple(c for c in controls if role_of_control(c.kind, family) is None)


def adapted(references: Sequence[Reference], arrays: Arrays) -> Beside:
    """What UNets see: through an IP-Adapter, and by their own attention."""
    beside = Beside()
    for one in references:
        assert one.image is not None
        picture = arrays[one.image.sha256]
        if one.model == BY_ATTENTION:
            beside = replace(beside, attended=(*beside.attended, (one, picture)))
        else:
            part = (one.start, one.end)
            beside = replace(beside, adapter=picture, scale=one.scale, through=one.model, part=part)
    return beside


def _picture(reference: Reference, sources: Sources) -> Image8:
    """(h, w, 3) uint8; what comes from the view is aligned with the picture to be painted."""
    if reference.image is not None:
        return np.ascontiguousarray(flatten(sources.arrays[reference.image.sha256]))
    if reference.role in _EXACT:
        return _exact(Control(_EXACT[reference.role]), sources)
    assert sources.view is not None
    assert sources.view.color is not None
    return sources.canvas.colour(sources.arrays[sources.view.color.sha256])


def readable(picture: Image8) -> Image8:
    """A picture (h, w, 3) as all editors read one: FLUX.2's ends at less than 64 pixels a side, and
    at more than 8 to 1, Qwen-Image's at 200 to 1. What is longer is continued at its long edges."""
    height, width = picture.shape[:2]
    lacks = [
        max(0, -(-other // _LONGEST) - side) for side, other in ((height, width), (width, height))
    ]
    around = [(lack // 2, lack - lack // 2) for lack in lacks]
    if any(lacks):
        picture = np.pad(picture, (*around, (0, 0)), mode="edge")
    scale = _LEAST / min(picture.shape[:2])
    if scale <= 1:
        return picture
    height, width = (max(_LEAST, round(side * scale)) for side in picture.shape[:2])
    return np.ascontiguousarray(resize(picture, (height, width)))


def _exact(control: Control, sources: Sources) -> Image8:
    """Nearer is lighter; normals in the common convention, green up and red right."""
    convention = Convention.OPENGL if control.kind is ControlKind.NORMAL else None
    return control_image(control, convention, sources).pixels.astype(np.uint8)
