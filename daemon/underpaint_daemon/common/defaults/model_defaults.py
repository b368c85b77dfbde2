"""A model's defaults and abilities: its own file, its distillation, its pipeline's class where
Underpaint has no file for it, its family, in this order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from underpaint.paths import Paths
from underpaint.requests import Control, ControlKind, Lora, Sampler, Spacing
from underpaint.tree import part_to_plain

from ..abilities import FOREIGN_FAMILIES
from ..models import model_folder
from ..places import name_of
from ..recognition import kin_of
from ..refusals import kinds_without_network
from .distilled import distillation_of
from .external import control_files, fitting
from .family_wants import FAMILY_WANTS
from .foreign_wants import distilled_foreign, foreign_wants
from .glance import Glance, glance
from .own_file import own_wants
from .wants import Wants, layered


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a model paints with when nothing is set by hand, and what it can do.

    `size`: pixels a side. `controls`: for a view. `own_controls`: ControlNets that it brings;
    `other_controls`: those among the models that fit it, by kind. `samplers`: that it can do.
    `told`: the distillation that it was recognised as, or empty. `most_steps`, `sharpen`,
    `looks`: see `Wants`.
    """

    family: str
    size: int
    sampler: Sampler
    steps: int
    guidance: float
    controls: tuple[Control, ...]
    samplers: tuple[Sampler, ...]
    spacing: Spacing | None
    own_controls: tuple[str, ...]
    other_controls: Mapping[ControlKind, Path]
    told: str
    most_steps: int | None = None
    sharpen: float | None = None
    looks: bool = True

    @property
    def control_kinds(self) -> tuple[ControlKind, ...]:
        """Every kind of control that it can be given, its own first."""
        own = tuple(ControlKind(kind) for kind in self.own_controls)
        own += tuple(kind for kind in kinds_without_network(self.family) if kind not in own)
        return own + tuple(kind for kind in self.other_controls if kind not in own)

    def to_plain(self) -> dict[str, Any]:
        """As the wire's model record carries them: JSON-like."""
        return {
            "size": self.size,
            "sampler": self.sampler.value,
            "steps": self.steps,
            "guidance": self.guidance,
            "controls": [part_to_plain(control) for control in self.controls],
            "distillation": self.told,
        }


def model_defaults(paths: Paths, name: str, loras: Sequence[Lora] = ()) -> Defaults:
    """The defaults of a model by its name or path, with LoRAs laid over it: those for few steps
    are recognised too. Raises RequestError(MODEL_MISSING, MODEL_BROKEN)."""
    place = model_folder(paths, name)
    seen = glance(paths, place)
    others = fitting(control_files(paths), seen.denoiser)
    names = _names(place, loras)
    made_foreign, few = distilled_foreign(names, seen.index)
    told, distilled = distillation_of(
        names,
        kin_of(seen.family, seen.index),
        seen.scheduler,
        embedded_guidance=seen.denoiser.get("time_cond_proj_dim") is not None,
    )
    able = FAMILY_WANTS[seen.family].samplers or ()
    if distilled.sampler not in able:  # the family has its own way to so few steps
        distilled = replace(distilled, sampler=None)
    named = foreign_wants(place, seen.index) if seen.family in FOREIGN_FAMILIES else Wants()
    native = Wants(size=seen.native_size)
    wishes = (own_wants(place), few, distilled, named, native, _of_family(seen))
    return _known(layered(wishes), seen, others, made_foreign or told)


def _of_family(seen: Glance) -> Wants:
    wants, kin = FAMILY_WANTS[seen.family], kin_of(seen.family, seen.index)
    if kin != seen.family:
        wants = replace(wants, steps=FAMILY_WANTS[kin].steps, guidance=FAMILY_WANTS[kin].guidance)
    # Schnell, under whatever name: only dev's network takes the guidance in.
    if kin == "flux1" and not seen.denoiser.get("guidance_embeds"):
        return replace(wants, steps=4, guidance=1.0)
    if seen.index.get("is_distilled"):
        return replace(wants, steps=4, guidance=1.0)
    return wants


def _names(place: Path, loras: Sequence[Lora]) -> list[str]:
    laid = [Path(lora.path).stem for lora in loras if lora.weight > 0]
    return [*laid, place.stem if place.is_file() else name_of(place)]


def _known(wants: Wants, seen: Glance, others: Mapping[ControlKind, Path], told: str) -> Defaults:
    assert wants.size is not None
    assert wants.sampler is not None
    assert wants.steps is not None
    assert wants.guidance is not None
    assert wants.samplers is not None
    can = {*seen.controls, *others, *kinds_without_network(seen.family)}
    return Defaults(
        family=seen.family,
        size=wants.size,
        sampler=wants.sampler,
        steps=wants.steps,
        guidance=wants.guidance,
        controls=tuple(c for c in wants.controls or () if c.kind in can or c.model),
        samplers=wants.samplers,
        spacing=wants.spacing,
        own_controls=seen.controls,
        other_controls=others,
        told=told,
        most_steps=wants.most_steps,
        sharpen=wants.sharpen,
        looks=wants.looks is not False,
    )
