"""What objects are to look like by their own prompts, where a view shows them. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from underpaint.buffers import Array
from underpaint.requests import View

from ..capture.geometry import object_ids


def own_words(context: Any, view: View | None, arrays: Mapping[str, Array]) -> dict[int, str]:
    """The prompts of the objects that a captured view shows, by object id."""
    if view is None or view.object_id is None:
        return {}
    seen = set(np.unique(arrays[view.object_id.sha256]).tolist())
    ids = object_ids(context.evaluated_depsgraph_get())
    prompts = {ids.get(x.name_full): x.underpaint_prompt.strip() for x in context.scene.objects}
    return {number: words for number, words in prompts.items() if words and number in seen}
