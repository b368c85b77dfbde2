"""The words per object of an earlier painting, given to the scene's objects again. No bpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from underpaint.requests import ImageRequest, TextureRequest


@dataclass(frozen=True, slots=True)
class WordsAgain:
    """`lost`: objects that the scene has no more, or that a library holds, by name; empty: one
    without a name. `others`: objects with words that the painting had none for."""

    lost: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def words_by_object(request: ImageRequest | TextureRequest) -> dict[str, str]:
    """The prompt of each object that had one of its own, by the object's full name."""
    if isinstance(request, TextureRequest):
        return {one.name: one.prompt.text for one in request.object_prompts}
    return {one.name: one.prompt.text for one in request.regions if one.object_id is not None}


def give_words(scene: Any, words: Mapping[str, str]) -> WordsAgain:
    """Write them to the scene's objects; what else has words keeps them."""
    if not words:
        return WordsAgain()
    known = {item.name_full: item for item in scene.objects}
    lost, others = [], []
    for name, text in words.items():
        item = known.get(name)
        if item is None or item.library is not None:
            lost.append(name)
        else:
            item.underpaint_prompt = text
    for name, item in known.items():
        if name not in words and item.underpaint_prompt.strip():
            others.append(name)
    return WordsAgain(tuple(lost), tuple(others))
