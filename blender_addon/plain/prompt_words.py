"""A prompt as phrases with weights: `a castle, (moss:1.3), fog`. No bpy."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

LEAST, MOST, STEP = 0.1, 2.0, 0.1
_WEIGHTED = re.compile(r"^\((.+):(-?\d+(?:\.\d+)?)\)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Phrase:
    """`weight`: how much it counts; 1 is as written."""

    text: str
    weight: float = 1.0


def phrases(prompt: str) -> tuple[Phrase, ...]:
    """The prompt's parts between commas that stand in no bracket; none of one that is JSON, which
    stays to the letter."""
    if is_data(prompt):
        return ()
    return tuple(_phrase(part.strip()) for part in _parts(prompt) if part.strip())


def weighed(prompt: str, index: int, by: float) -> str:
    """The prompt with one phrase heavier or lighter; others keep their weights."""
    found = list(phrases(prompt))
    old = found[index]
    weight = round(min(MOST, max(LEAST, old.weight + by)), 2)
    found[index] = Phrase(old.text, weight)
    return ", ".join(_written(phrase) for phrase in found)


def is_data(prompt: str) -> bool:
    """Whether a prompt as a whole is a JSON object or list."""
    if not prompt.lstrip().startswith(("{", "[")):
        return False
    try:
        return isinstance(json.loads(prompt), dict | list)
    except ValueError:
        return False


def _phrase(part: str) -> Phrase:
    match = _WEIGHTED.match(part)
    return Phrase(match[1].strip(), float(match[2])) if match else Phrase(part)


def _written(phrase: Phrase) -> str:
    return phrase.text if phrase.weight == 1.0 else f"({phrase.text}:{phrase.weight:g})"


def _parts(prompt: str) -> list[str]:
    parts, depth = [""], 0
    for sign in prompt:
        depth += (sign in "({[") - (sign in ")}]")
        if sign == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts
