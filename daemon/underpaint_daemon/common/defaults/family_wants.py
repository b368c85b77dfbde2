"""What the families want, unless a model knows better.

Sources: the defaults of diffusers' pipelines and the makers' model cards.
"""

from __future__ import annotations

from collections.abc import Mapping

from underpaint.requests import Control, ControlKind, Sampler

from ..abilities import ABILITIES
from .wants import Wants

_FORM = (Control(ControlKind.DEPTH), Control(ControlKind.NORMAL, scale=0.6))
_ALL = tuple(Sampler)


def _flow(family: str, steps: int, guidance: float, sampler: Sampler = Sampler.EULER) -> Wants:
    able = ABILITIES[family]
    return Wants(able.side, sampler, steps, guidance, _FORM[:1], able.samplers)


FAMILY_WANTS: Mapping[str, Wants] = {
    "sd15": Wants(512, Sampler.DPMPP_2M_KARRAS, 25, 7.0, _FORM, _ALL),
    "sdxl": Wants(1024, Sampler.DPMPP_2M_KARRAS, 25, 6.0, _FORM, _ALL),
    "sd15_edit": Wants(512, Sampler.EULER_A, 30, 7.5, (), _ALL),
    "sdxl_edit": Wants(1024, Sampler.EULER_A, 30, 7.5, (), _ALL),
    "sd2_depth": Wants(512, Sampler.DPMPP_2M_KARRAS, 25, 7.5, _FORM[:1], _ALL),
    "sdxl_refiner": Wants(1024, Sampler.DPMPP_2M_KARRAS, 25, 6.0, (), _ALL),
    "sd35": _flow("sd35", 28, 4.5),
    "flux1": _flow("flux1", 28, 3.5),
    "flux1_fill": _flow("flux1_fill", 50, 30.0),
    "flux1_kontext": _flow("flux1_kontext", 28, 2.5),
    "flux1_control": _flow("flux1_control", 30, 10.0),
    "flux2": _flow("flux2", 50, 4.0),
    "flux2_klein": _flow("flux2_klein", 50, 4.0),
    "qwen_image": _flow("qwen_image", 50, 4.0),
    "qwen_edit": _flow("qwen_edit", 50, 4.0),
    "qwen_edit_plus": _flow("qwen_edit_plus", 40, 4.0),
    "z_image": _flow("z_image", 50, 5.0),
    "chroma": _flow("chroma", 35, 5.0),
    "sana": _flow("sana", 20, 4.5, Sampler.DPMPP_2M),
    "auto": _flow("auto", 28, 5.0),
    "auto_image": _flow("auto_image", 28, 5.0),
    "modular": _flow("modular", 28, 5.0),
    "modular_text": _flow("modular_text", 28, 5.0),
}
