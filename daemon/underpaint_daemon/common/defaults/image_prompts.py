"""What a reference goes through where the request leaves it open: an IP-Adapter, or the model's own
attention."""

from __future__ import annotations

from dataclasses import replace

from underpaint.paths import Paths
from underpaint.requests import (
    BY_ATTENTION,
    ImageRequest,
    InpaintRequest,
    Reference,
    TextureRequest,
)

from ..abilities import ABILITIES
from ..adapter_files import adapters_among
from ..models import IP_ADAPTER, model_folder
from ..places import extra_folders
from ..refusals import no_adapter
from .glance import Glance, glance
from .own_file import own_wants


def settled_references(
    request: ImageRequest | InpaintRequest | TextureRequest, paths: Paths
) -> tuple[Reference, ...]:
    """The references, the first through the model's own IP-Adapter, or one from among the models,
    or from a folder that the user added, that fits; where there is none, and all others, through
    the attention of models that can look at pictures so. Of one that sees nothing so they stay as
    they are, to be refused.

    Raises RequestError(MODEL_MISSING, MODEL_BROKEN, CONTROL_MISSING).
    """
    if not request.references:
        return ()
    place = model_folder(paths, request.model)
    blind = own_wants(place).looks is False
    if blind and any(one.model == BY_ATTENTION for one in request.references):
        raise no_adapter(request.model)
    if all(one.model is not None for one in request.references):
        return request.references
    seen, folder = glance(paths, place), place.with_suffix("") if place.is_file() else place
    able, found = ABILITIES[seen.family], list[Reference]()
    if not (able.ip_adapter or able.attention):
        return request.references
    otherwise = None if blind else BY_ATTENTION
    free = able.ip_adapter and all(one.model in (None, BY_ATTENTION) for one in request.references)
    for one in request.references:
        if one.model is not None:
            found.append(one)
        elif free and (folder / IP_ADAPTER).is_dir():
            found.append(one)
            free = False
        else:
            adapter = _adapter(paths, seen) if free else None
            found.append(replace(one, model=adapter or otherwise))
            free = free and adapter is None
    return tuple(found)


def _adapter(paths: Paths, seen: Glance) -> str | None:
    width = seen.denoiser.get("cross_attention_dim")
    every = (one for root in (paths.models, *extra_folders(paths)) for one in adapters_among(root))
    return next((str(one.path) for one in every if one.text_width == width), None)
