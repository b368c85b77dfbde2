"""What objects are to look like by their own prompts, where a view shows them. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from underpaint.buffers import Array
from underpaint.files.viewfile import SceneObject
from underpaint.requests import View

from ..capture.geometry import object_ids


def own_words(
    context: Any, view: View | None, arrays: Mapping[str, Array]
) -> dict[int, SceneObject]:
    """The objects with a prompt that a captured view shows, by object id."""
    if view is None or view.object_id is None:
        return {}
    seen = set(np.unique(arrays[view.object_id.sha256]).tolist())
    ids = object_ids(context.evaluated_depsgraph_get())
    named = {ids.get(item.name_full): item for item in context.scene.objects}
    worded = {
        number: SceneObject(item.name_full, item.underpaint_prompt.strip())
        for number, item in named.items()
        if number in seen
    }
    return {number: one for number, one in worded.items() if number is not None and one.prompt}
