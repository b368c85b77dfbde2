"""What objects have of their own, words and LoRAs, where a view shows them. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from underpaint.buffers import Array
from underpaint.files.viewfile import SceneObject
from underpaint.requests import View

from ..capture.geometry import object_ids
from ..parts.own import own_of


def own_words(
    context: Any, view: View | None, arrays: Mapping[str, Array]
) -> dict[int, SceneObject]:
    """The objects with words or LoRAs that a captured view shows, by object id."""
    if view is None or view.object_id is None:
        return {}
    seen = set(np.unique(arrays[view.object_id.sha256]).tolist())
    ids = object_ids(context.evaluated_depsgraph_get())
    shown = [item for item in context.scene.objects if ids.get(item.name_full) in seen]
    own = {ids[item.name_full]: own_of(item) for item in shown}
    return {number: one for number, one in own.items() if one is not None}
