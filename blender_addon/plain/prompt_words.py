"""A prompt as phrases with weights: `a castle, (moss:1.3), fog`. No bpy."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

LEAST, MOST, STEP = 0.1, 2.0, 0.1
_AROUND, _ENDS = " \t\n,", ",()[]{}|"
_WEIGHTED = re.compile(r"^\((.+):(-?\d+(?:\.\d+)?)\)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Phrase:
    """`weight`: how much it counts; 1 is as written."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Marked:
    """A text and the span that is marked in it: `start`, `end` in letters."""

    text: str
    start: int
    end: int


def phrases(prompt: str) -> tuple[Phrase, ...]:
    """The prompt's parts between commas that stand in no bracket; none of one that is JSON, which
    stays to the letter."""
    return tuple(_phrase(prompt[start:end]) for start, end in _spans(prompt))


def weighed(prompt: str, index: int, by: float) -> str:
    """The prompt with one phrase heavier or lighter; all else stays as it is written."""
    return _reweighed(prompt, *_spans(prompt)[index], by).text


def weighed_at(prompt: str, start: int, end: int, by: float) -> Marked | None:
    """The prompt with the words from `start` to `end` heavier or lighter, or those about the
    cursor where nothing is marked; within a weight, that weight. None where there are no words."""
    if is_data(prompt):
        return None
    span = _weight_about(prompt, start, end) or _words_about(prompt, start, end)
    return _reweighed(prompt, *span, by) if span else None


def is_data(prompt: str) -> bool:
    """Whether a prompt as a whole is a JSON object or list."""
    if not prompt.lstrip().startswith(("{", "[")):
        return False
    try:
        return isinstance(json.loads(prompt), dict | list)
    except ValueError:
        return False


def _reweighed(prompt: str, start: int, end: int, by: float) -> Marked:
    old = _phrase(prompt[start:end])
    weight = round(min(MOST, max(LEAST, old.weight + by)), 2)
    new = _written(Phrase(old.text, weight))
    return Marked(prompt[:start] + new + prompt[end:], start, start + len(new))


def _weight_about(prompt: str, start: int, end: int) -> tuple[int, int] | None:
    """The innermost `(words:1.2)` that has the span in it."""
    opened: list[int] = []
    for place, sign in enumerate(prompt):
        if sign not in "()" or prompt[place - 1 : place] == "\\":
            continue
        if sign == "(":
            opened.append(place)
        elif opened:
            left, right = opened.pop(), place + 1
            if left <= start and end <= right and _WEIGHTED.match(prompt[left:right]):
                return left, right
    return None


def _words_about(prompt: str, start: int, end: int) -> tuple[int, int] | None:
    """The marked words without the space about them, or the word that the cursor is in."""
    if start == end:
        while start > 0 and _is_of_word(prompt[start - 1]):
            start -= 1
        while end < len(prompt) and _is_of_word(prompt[end]):
            end += 1
    words = prompt[start:end]
    start += len(words) - len(words.lstrip(_AROUND))
    end -= len(words) - len(words.rstrip(_AROUND))
    words = prompt[start:end]
    whole = all(words.count(left) == words.count(right) for left, right in ("()", "[]", "{}"))
    return (start, end) if words and whole else None


def _is_of_word(sign: str) -> bool:
    return not sign.isspace() and sign not in _ENDS


def _phrase(part: str) -> Phrase:
    match = _WEIGHTED.match(part)
    return Phrase(match[1].strip(), float(match[2])) if match else Phrase(part)


def _written(phrase: Phrase) -> str:
    return phrase.text if phrase.weight == 1.0 else f"({phrase.text}:{phrase.weight:g})"


def _spans(prompt: str) -> list[tuple[int, int]]:
    """Where the phrases stand, without the space about them."""
    if is_data(prompt):
        return []
    found, depth, begun = [], 0, 0
    for place, sign in enumerate(f"{prompt},"):
        depth += (sign in "({[") - (sign in ")}]")
        if sign == "," and (depth <= 0 or place == len(prompt)):
            part = prompt[begun:place]
            left = begun + len(part) - len(part.lstrip())
            if part.strip():
                found.append((left, left + len(part.strip())))
            begun = place + 1
    return found
