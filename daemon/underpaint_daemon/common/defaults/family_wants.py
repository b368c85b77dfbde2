"""What the families want, unless a model knows better.

Sources: the defaults of diffusers' pipelines and the makers' model cards.
"""

from __future__ import annotations

from collections.abc import Mapping

from underpaint.requests import Control, ControlKind, Sampler

from .wants import Wants

_FORM = (Control(ControlKind.DEPTH), Control(ControlKind.NORMAL, scale=0.6))
_ALL = tuple(Sampler)

FAMILY_WANTS: Mapping[str, Wants] = {
    "sd15": Wants(512, Sampler.DPMPP_2M_KARRAS, 25, 7.0, _FORM, _ALL),
    "sdxl": Wants(1024, Sampler.DPMPP_2M_KARRAS, 25, 6.0, _FORM, _ALL),
}
