"""Models made for few steps, known by the words in their names or by their scheduler.

A name is read as people write them: `dreamshaperXL_lightningDPMSDE`, `Hyper-SD15-8steps-lora`,
`sd_xl_turbo_1.0_fp16`. Values are those of the makers' model cards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from underpaint.requests import Sampler, Spacing

from .wants import Wants

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_STEP = ("step", "steps")
_STEPS = range(1, 65)
# Hyper is a word of many names; only beside one of these it is Hyper-SD.
_AFTER_HYPER = ("sd", "sdxl", "xl", "flux", "lora", "")
_OFFICIAL_TURBO = {"stabilityai", "stable", "diffusion", "sd", "sdxl", "xl", "turbo", "fp"}


@dataclass(frozen=True, slots=True)
class Distillation:
    """One way of distilling. `told`: its name. `wants`: its values. `by_family`: other values for
    some families. `named`: whether words (lower case) name it."""

    told: str
    wants: Wants
    named: Callable[[Sequence[str]], bool]
    by_family: Mapping[str, Wants]


def distillation_of(
    names: Iterable[str], family: str, scheduler: str = "", *, embedded_guidance: bool = False
) -> tuple[str, Wants]:
    """What a distillation is called and wants; ("", Wants()) of a model that is none.

    `names`: of its folder, its file, and of the LoRAs that are laid over it. `scheduler`: the
    class in its scheduler config. `embedded_guidance`: its UNet takes the guidance as an input.
    """
    for words in [words_of(name) for name in names]:
        for kind in DISTILLATIONS:
            if kind.named(words):
                wants = kind.by_family.get(family, kind.wants)
                return kind.told, _with_steps(wants, words, embedded_guidance)
    if scheduler in _OF_SCHEDULER:
        kind = _OF_SCHEDULER[scheduler]
        return kind.told, _with_steps(kind.wants, (), embedded_guidance)
    return "", Wants()


def words_of(name: str) -> list[str]:
    """The words of a name in lower case: at signs, at capitals and between letters and digits."""
    return [word.lower() for word in _WORD.findall(name)]


def _with_steps(wants: Wants, words: Sequence[str], embedded_guidance: bool) -> Wants:
    """With the number of steps that a name says, and the guidance of LCMs that embed it."""
    for number, unit in pairwise(words):
        if unit in _STEP and number.isdigit() and int(number) in _STEPS:
            wants = replace(wants, steps=int(number))
    return replace(wants, guidance=_EMBEDDED) if embedded_guidance else wants


def _word(word: str) -> Callable[[Sequence[str]], bool]:
    return lambda words: word in words


def _hyper(words: Sequence[str]) -> bool:
    after = [b for a, b in pairwise([*words, ""]) if a == "hyper"]
    return any(word in _AFTER_HYPER or word.isdigit() for word in after)


def _official_turbo(words: Sequence[str]) -> bool:
    known = {word for word in words if not word.isdigit()}
    return "turbo" in known and known <= _OFFICIAL_TURBO


def _klein(words: Sequence[str]) -> bool:
    """Klein base is what Klein was distilled from."""
    return "klein" in words and "base" not in words


_EMBEDDED = 8.0  # the card of LCM_Dreamshaper_v7, whose guidance is an input of the UNet
_FEW = Wants(steps=4, guidance=1.0)
_NO_FAMILIES: Mapping[str, Wants] = {}
_LCM = Distillation(
    "LCM", Wants(sampler=Sampler.LCM, steps=4, guidance=1.5), _word("lcm"), {"auto": _FEW}
)
# TCD and Hyper-SD learnt to follow a trajectory: DDIM from the very end of the noise.
_TRAJECTORY = Wants(sampler=Sampler.DDIM, steps=8, guidance=1.0, spacing=Spacing.TRAILING)
_TCD = Distillation("TCD", _TRAJECTORY, _word("tcd"), _NO_FAMILIES)
_EULER = Wants(sampler=Sampler.EULER, steps=4, guidance=1.0, spacing=Spacing.TRAILING)
_TURBO = replace(_EULER, sampler=Sampler.EULER_A)
_FLOW_TURBO: Mapping[str, Wants] = {
    "sd35": _FEW,
    "z_image": Wants(steps=9, guidance=1.0),
    "qwen_image": replace(_FEW, steps=8),
}

DISTILLATIONS = (
    Distillation("Lightning", _EULER, _word("lightning"), {"qwen_image": replace(_FEW, steps=8)}),
    Distillation("Hyper", _TRAJECTORY, _hyper, {"flux1": Wants(steps=8, guidance=3.5)}),
    Distillation("DMD", replace(_LCM.wants, guidance=1.0), _word("dmd"), _NO_FAMILIES),
    _TCD,
    _LCM,
    Distillation("Turbo", _TURBO, _official_turbo, _FLOW_TURBO),
    # What people merged Turbo into still wants some guidance and a step or two more.
    Distillation("Turbo", replace(_TURBO, steps=6, guidance=2.0), _word("turbo"), _FLOW_TURBO),
    Distillation("Schnell", _FEW, _word("schnell"), _NO_FAMILIES),
    Distillation("Klein", _FEW, _klein, _NO_FAMILIES),
)
_OF_SCHEDULER = {"LCMScheduler": _LCM, "TCDScheduler": _TCD}
