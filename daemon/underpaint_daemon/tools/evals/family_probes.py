"""What a family claims, tried: each claim runs and shows its effect, each "no" is refused by name.

Weights are random: that a picture changes with its control, LoRA or reference is all that can be
asked of it, and that everything else about it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import numpy as np

from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.requests import (
    BY_ATTENTION,
    Control,
    ControlKind,
    ImageRequest,
    Lora,
    ObjectPrompt,
    Prompt,
    Reference,
    ReferenceRole,
    RegionPrompt,
    TextureRequest,
)
from underpaint_daemon.common.abilities import ABILITIES, Abilities

from .family_requests import Asked, Image8, Painter
from .family_things import SIDE, Things, picture

_BORDER = 8  # pixels beside a part that its own show in, too
_MANY = 150  # so that the word to stop comes in time, however small the network
_LOOKED_AT = Reference(ReferenceRole.STYLE, model=BY_ATTENTION)
_REFUSALS = (ErrorCode.BAD_REQUEST, ErrorCode.CONTROL_MISSING)


def probe(
    family: str,
    model: str,
    painter: Painter,
    things: Things,
    only: Collection[str] | None = None,
    without: Collection[str] = (),
) -> dict[str, bool]:
    """Each ability and whether it is as the table says. `only`: these, where it claims them;
    `without`: all but these."""
    able = ABILITIES[family]
    found = {}
    seen = dict[str, Image8]()
    for name, (claimed, attempt) in _PROBES.items():
        if name in without:
            continue
        if only is not None and not (name in only and claimed(able)):
            continue
        asked = Asked(model, able, things, painter, seen)
        found[name] = attempt(asked) if claimed(able) else _refused(asked, attempt)
    return found


def _text(asked: Asked) -> bool:
    request = asked.base()
    if not asked.able.text:
        request = ImageRequest(Prompt("a"), asked.model, SIDE, SIDE, asked.sampling(), controls=())
    return bool(asked.first(request).std() > 1)


def _image(asked: Asked) -> bool:
    start = replace(_as_image(asked), init=asked.things.picture, strength=0.5)
    painted = asked.painter.paint(start)
    other = asked.painter.paint(replace(start, init=asked.things.other))
    return not np.array_equal(painted, other)


def _as_image(asked: Asked) -> ImageRequest:
    request = asked.base()
    if isinstance(request, ImageRequest):
        return replace(request, references=())
    return ImageRequest(Prompt("a"), asked.model, SIDE, SIDE, asked.sampling(), controls=())


def _mask(asked: Asked) -> bool:
    painted = asked.painter.paint(asked.masked())
    before = picture(1)
    inside = np.zeros((SIDE, SIDE), bool)
    inside[16:48, 16:48] = True
    kept = np.array_equal(painted[~inside], before[~inside])
    return bool(kept and (painted[inside] != before[inside]).mean() > 0.5)


def _control(asked: Asked) -> bool:
    request = asked.base()
    controlled = asked.with_control(request)
    plain = replace(controlled, controls=(Control(ControlKind.DEPTH, scale=0.0),))
    if asked.able.inner_control or asked.able.needs_reference:
        other = Control(ControlKind.DEPTH, image=asked.things.picture)
        plain = replace(controlled, controls=(other,))
    return not np.array_equal(asked.first(controlled), asked.painter.paint(plain))


def _lora(asked: Asked) -> bool:
    request = asked.base()
    before = asked.first(request)
    changed = asked.painter.paint(replace(request, loras=(Lora("style"),)))
    after = asked.painter.paint(request)
    return not np.array_equal(before, changed) and np.array_equal(before, after)


def _part_lora(asked: Asked) -> bool:
    """A LoRA of the left half acts there more than beside it, and nowhere else does the whole's."""
    request = asked.base()
    before = asked.first(request).astype(float)
    part = RegionPrompt(Prompt("", "blue"), asked.things.left, loras=(Lora("style"),))
    change = abs(asked.painter.paint(replace(request, regions=(part,))) - before).mean((0, 2))
    half = SIDE // 2
    return bool(change[:half].mean() > 1.5 * change[half + _BORDER :].mean())


def _object_lora(asked: Asked) -> bool:
    """A LoRA of one of two objects shows; the whole's, at no weight on both, does not."""
    plain, style = _texture_of(asked), (Lora("style"),)
    before = asked.first(plain)
    worn = asked.painter.paint(replace(plain, object_prompts=(_wearing(2, style),)))
    off = tuple(_wearing(number, (Lora("style", 0.0),)) for number in (1, 2))
    without = asked.painter.paint(replace(plain, loras=style, object_prompts=off))
    return not np.array_equal(worn, before) and np.array_equal(without, before)


def _wearing(number: int, loras: tuple[Lora, ...]) -> ObjectPrompt:
    return ObjectPrompt(number, Prompt(), loras=loras)


def _reference(asked: Asked) -> bool:
    base = asked.base()
    one, two = (
        asked.first(replace(base, references=(Reference(ReferenceRole.SUBJECT, picture),)))
        for picture in (asked.things.picture, asked.things.other)
    )
    return not np.array_equal(one, two)


def _attention(asked: Asked) -> bool:
    """Pictures are seen without an adapter; without weight nothing of them is."""
    base, things = replace(asked.base(), references=()), asked.things
    seen = ((things.picture, 1.0), (things.other, 1.0), (things.picture, 0.0))
    looks = (replace(_LOOKED_AT, image=image, scale=scale) for image, scale in seen)
    one, two, none = (asked.painter.paint(replace(base, references=(look,))) for look in looks)
    return not np.array_equal(one, two) and np.array_equal(none, asked.first(base))


def _form(asked: Asked) -> bool:
    """Depth and normals as references, from the view."""
    base = replace(asked.base(), view=asked.things.view)
    roles = (ReferenceRole.DEPTH, ReferenceRole.NORMAL)
    one, two = (asked.painter.paint(replace(base, references=(Reference(role),))) for role in roles)
    return not np.array_equal(one, two)


def _rerun(asked: Asked) -> bool:
    """The same again, whatever else was painted since the first time."""
    request = asked.base()
    if "text" in asked.able.control:
        request = asked.with_control(request)
    one, two = asked.first(request), asked.painter.paint(request)
    return np.array_equal(one, two)


def _texture(asked: Asked) -> bool:
    """Views of a box painted together: the same twice, another without the form."""
    request = _texture_of(asked)
    unseen = Control(ControlKind.DEPTH, scale=0.0)
    if asked.able.inner_control:
        unseen = Control(ControlKind.CANNY)
    if asked.able.needs_reference:
        unseen = Control(ControlKind.NORMAL)
    first, again, formless = (
        paint(replace(request, controls=controls))
        for paint, controls in (
            (asked.first, request.controls),
            (asked.painter.paint, request.controls),
            (asked.painter.paint, (unseen,)),
        )
    )
    return np.array_equal(first, again) and not np.array_equal(first, formless)


def _texture_of(asked: Asked) -> TextureRequest:
    return TextureRequest(
        Prompt("red stone"), asked.things.mesh, asked.model, sampling=asked.sampling(),
        controls=(Control(ControlKind.DEPTH, scale=1.0),), size=SIDE, view_size=SIDE,
        view_count=2,
    )  # fmt: skip


def _preview(asked: Asked) -> bool:
    return asked.painter.previews(asked.base()) > 0


def _cancel(asked: Asked) -> bool:
    many = replace(asked.base(), sampling=replace(asked.sampling(), steps=_MANY))
    return 1 <= asked.painter.cancel(many) < _MANY


def reasons(family: str) -> dict[str, str]:
    """What a family cannot do, by the names of the probes, and why."""
    able = ABILITIES[family]
    names = ("reference", "form_as_reference", "reference_attention")
    called = dict.fromkeys(names, "references") | {"part_lora": "regions", "object_lora": "texture"}
    return {
        name: able.why.get(called.get(name, name), "it refuses this by name.")
        for name, (claimed, _) in _PROBES.items()
        if not claimed(able)
    }


def _refused(asked: Asked, attempt: Callable[[Asked], bool]) -> bool:
    """Whether it is refused in words: what, and with a hint."""
    try:
        attempt(asked)
    except UnderpaintError as error:
        return isinstance(error, RequestError) and error.code in _REFUSALS and bool(error.hint)
    return False


_Claim = Callable[[Abilities], bool]
_PROBES: Mapping[str, tuple[_Claim, Callable[[Asked], bool]]] = {
    "text": (lambda able: able.text, _text),
    "image": (lambda able: able.image, _image),
    "mask": (lambda able: able.mask, _mask),
    "control": (lambda able: "text" in able.control or able.reads, _control),
    "lora": (lambda able: able.lora, _lora),
    "part_lora": (lambda able: able.lora and able.regions, _part_lora),
    "reference": (lambda able: able.references > 0, _reference),
    "reference_attention": (lambda able: able.attention, _attention),
    "form_as_reference": (lambda able: able.reads, _form),
    "texture": (lambda able: bool(able.texture), _texture),
    "object_lora": (lambda able: able.lora and bool(able.texture), _object_lora),
    "rerun_bit_equal": (lambda _able: True, _rerun),
    "preview": (lambda _able: True, _preview),
    "cancel": (lambda _able: True, _cancel),
}
