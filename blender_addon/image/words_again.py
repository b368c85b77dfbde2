"""What objects had of their own in an earlier painting, given to the scene's objects again. No
bpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from underpaint.files.viewfile import SceneObject
from underpaint.requests import Request
from underpaint.requests.parts import parts_of

from ..parts.written import write_loras


@dataclass(frozen=True, slots=True)
class WordsAgain:
    """`lost`: objects that the scene has no more, or that a library holds, by name; empty: one
    without a name. `others`: objects with words that the painting had none for."""

    lost: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def words_by_object(request: Request) -> dict[str, SceneObject]:
    """The words and LoRAs of each object that had some of its own, by the object's full name."""
    return {
        one.name: SceneObject(one.name, one.prompt.text, one.loras)
        for one in parts_of(request).values()
        if one.object_id is not None
    }


def give_words(scene: Any, words: Mapping[str, SceneObject]) -> WordsAgain:
    """Write them to the scene's objects; what else has words or LoRAs keeps them."""
    if not words:
        return WordsAgain()
    known = {item.name_full: item for item in scene.objects}
    lost, others = [], []
    for name, own in words.items():
        item = known.get(name)
        if item is None or item.library is not None:
            lost.append(name)
        else:
            item.underpaint_prompt = own.prompt
            write_loras(item.underpaint_loras, own.loras)
    for name, item in known.items():
        if name not in words and (item.underpaint_prompt.strip() or item.underpaint_loras):
            others.append(name)
    return WordsAgain(tuple(lost), tuple(others))
