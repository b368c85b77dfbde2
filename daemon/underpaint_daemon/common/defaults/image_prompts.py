"""The IP-Adapter that a reference goes through, where the model brings none of its own."""

from __future__ import annotations

from dataclasses import replace

from underpaint.paths import Paths
from underpaint.requests import ImageRequest, InpaintRequest, Reference, TextureRequest

from ..abilities import ABILITIES
from ..adapter_files import adapters_among
from ..models import IP_ADAPTER, glance, model_folder
from ..places import extra_folders


def settled_references(
    request: ImageRequest | InpaintRequest | TextureRequest, paths: Paths
) -> tuple[Reference, ...]:
    """The references, with an adapter from among the models, or from a folder that the
    user added, that fits the request's model.

    Raises RequestError(MODEL_MISSING, MODEL_BROKEN).
    """
    if all(one.model is not None for one in request.references):
        return request.references
    place = model_folder(paths, request.model)
    seen, folder = glance(paths, place), place.with_suffix("") if place.is_file() else place
    if not ABILITIES[seen.family].ip_adapter or (folder / IP_ADAPTER).is_dir():
        return request.references
    width = seen.denoiser.get("cross_attention_dim")
    every = (one for root in (paths.models, *extra_folders(paths)) for one in adapters_among(root))
    found = next((str(one.path) for one in every if one.text_width == width), None)
    return tuple(replace(one, model=one.model or found) for one in request.references)
