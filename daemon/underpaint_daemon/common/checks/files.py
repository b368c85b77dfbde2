"""The files that a request names beside its model: told before the model is loaded. No torch."""

from __future__ import annotations

from underpaint.paths import Paths
from underpaint.requests import BY_ATTENTION, Request, UpscaleRequest

from ..abilities import ABILITIES
from ..adapter_files import find_adapter, find_encoder, recognise_adapter
from ..control_files import find_control, recognise
from ..models import family_of
from .loras import check_lora_files


def check_files(request: Request, paths: Paths) -> None:
    """Raise RequestError for a LoRA, a ControlNet or an IP-Adapter that is not there, or is another
    kind of file: LORA_MISSING, CONTROL_MISSING, MODEL_BROKEN."""
    check_lora_files(request, paths)
    for control in request.controls or ():
        if control.model is not None and control.scale > 0:
            recognise(find_control(paths.models, control.model))
    if isinstance(request, UpscaleRequest):
        return
    named = [one.model for one in request.references if one.model not in (None, BY_ATTENTION)]
    if named and ABILITIES[family_of(paths, request.model)].ip_adapter:
        for name in named:
            assert name is not None
            find_encoder(recognise_adapter(find_adapter(paths.models, name)), paths.models)
