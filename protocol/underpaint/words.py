"""How prompts are written: weights, breaks, choices and wildcards. Pure text, the same everywhere.

`(word)` counts 1.1 times, `(word:1.3)` 1.3 times, `[word]` 1/1.1 times; they nest and multiply.
`BREAK` starts a new window of the text encoder. `{a|b}` is one of them, `{3::a|b}` a three times
as often, and `__name__` a line of the wildcard file `name.txt`; both are settled by the seed before
a job is stored, so that its recipe says what was painted. A backslash takes a sign at its word:
`\\(`. An opening bracket that nothing closes is a sign like any other, and so are braces without a
`|` of their own and those of a JSON object: `{"scene": "a | b"}`. A prompt that is a JSON object as
a whole has neither weights nor breaks; only choices and wildcards in its texts are settled.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .errors import ErrorCode, RequestError

STEP = 1.1
_SPECIAL = "()[]{}|\\"
_BREAK = re.compile(r"\s*\bBREAK\b\s*")
_WEIGHT = re.compile(r"^(.*):\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*$", re.DOTALL)
_NUMBER = re.compile(r"(?<!\\)\(([^()]*):\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*\)")
_WILDCARD = re.compile(r"__([\w\-]+(?:/[\w\-]+)*)__")
_OBJECT = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"\s*:')
_QUOTE = re.compile(r'(?<!\\)"')
_ESCAPED_BRACKET = re.compile(r"\\([()\[\]{}|])")
_SHARE = re.compile(r"^\s*(\d+\.?\d*|\.\d+)::")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_MOST = 200
_MOST_WEIGHT = 10.0


@dataclass(frozen=True, slots=True)
class Piece:
    """Words and how much they count; 1 is as usual."""

    text: str
    weight: float = 1.0


def pieces(text: str) -> tuple[tuple[Piece, ...], ...]:
    """The windows that `BREAK` makes, each in pieces of one weight, brackets taken off."""
    if is_json(text):
        return ((Piece(text),),)
    found = [_joined(_weighted(part, 1.0)) for part in _BREAK.split(text)]
    return tuple(found)


def is_weighted(text: str) -> bool:
    """Whether a prompt asks for weights or breaks, which not every text encoder can follow."""
    windows = pieces(text)
    return len(windows) > 1 or any(piece.weight != 1.0 for row in windows for piece in row)


def has_numbers(text: str) -> bool:
    """Whether a text says weights in numbers, or breaks: what nobody writes for other reasons."""
    return not is_json(text) and _unnumbered(text) != text


def without_numbers(text: str) -> str:
    """The words alone, for encoders that read no weights: `(word:1.3)` is `word`, BREAK a space,
    and `\\(` a bracket. Other brackets are signs like any other; a JSON object stays as it is."""
    return text if is_json(text) else _ESCAPED_BRACKET.sub(r"\1", _unnumbered(text))


def is_json(text: str) -> bool:
    """Whether a prompt as a whole is a JSON object, as FLUX.2 and others take it."""
    if not text.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _unnumbered(text: str) -> str:
    found, count = _NUMBER.subn(r"\1", text)
    while count:
        found, count = _NUMBER.subn(r"\1", found)
    return _BREAK.sub(" ", found)


def settle_choices(text: str, seed: int, wildcard: Callable[[str], Sequence[str]]) -> str:
    """`{a|b}` and `__name__` settled by the seed. `wildcard(name)`: the lines of a wildcard file.

    Settled text stays as it is when it is settled again. Raises RequestError(BAD_REQUEST) for
    wildcards that lead to themselves.
    """
    chance = random.Random(f"underpaint words {seed}")
    for _ in range(_MOST):
        settled = _settled_once(text, chance, wildcard)
        if settled is None:
            return text
        text = settled
    raise RequestError(ErrorCode.BAD_REQUEST, f"prompt's wildcards lead to themselves: {text[:80]}")


def _settled_once(
    text: str, chance: random.Random, wildcard: Callable[[str], Sequence[str]]
) -> str | None:
    """The first choice or wildcard settled; None when there is none."""
    at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == "{" and (choice := _choice(text, at)) is not None:
            options, end = choice
            return text[:at] + _drawn(options, chance) + text[end + 1 :]
        if found := _WILDCARD.match(text, at):
            lines = wildcard(found[1])
            chosen = lines[chance.randrange(len(lines))] if lines else ""
            return text[:at] + chosen + text[found.end() :]
        at += 1
    return None


def _choice(text: str, at: int) -> tuple[list[str], int] | None:
    """The options of the braces that open at `at`, and where they close; None for braces that are
    signs: without a `|` of their own, or of a JSON object."""
    end = _closing(text, at)
    if end is None or _OBJECT.match(text, at):
        return None
    if is_json(text) and _QUOTE.search(text, at, end):
        return None  # It would reach from one of the object's texts into another.
    options = _split(text[at + 1 : end])
    return (options, end) if len(options) > 1 else None


def _drawn(options: Sequence[str], chance: random.Random) -> str:
    shares = [float(found[1]) if (found := _SHARE.match(o)) else 1.0 for o in options]
    texts = [_SHARE.sub("", option) for option in options]
    if not any(shares):
        return texts[0]
    return chance.choices(texts, shares)[0]


def _split(text: str) -> list[str]:
    """At `|` outside of brackets and escapes."""
    parts, start, at = list[str](), 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == "{" and (end := _closing(text, at)) is not None:
            at = end
        elif text[at] == "|":
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def _weighted(text: str, weight: float) -> list[Piece]:
    found, start, at = list[Piece](), 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        end = _closing(text, at) if text[at] in "([" else None
        if end is None:
            at += 1
            continue
        found.append(Piece(_plain(text[start:at]), weight))
        inner = text[at + 1 : end]
        found += _weighted(*_of_brackets(inner, text[at], weight))
        start = at = end + 1
    return [*found, Piece(_plain(text[start:]), weight)]


def _of_brackets(inner: str, bracket: str, weight: float) -> tuple[str, float]:
    """What stands in brackets, and its weight."""
    if bracket == "[":
        return inner, weight / STEP
    said = _WEIGHT.match(inner)
    if said and _closing_is_outside(said[1]):
        return said[1], weight * min(max(float(said[2]), -_MOST_WEIGHT), _MOST_WEIGHT)
    return inner, weight * STEP


def _closing_is_outside(text: str) -> bool:
    """Whether every bracket in the text is closed in it: the number belongs to the whole."""
    depth, at = 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
        at += 1
    return depth == 0


def _closing(text: str, at: int) -> int | None:
    """Where the bracket at `at` is closed; None when it is not."""
    opening, closing, depth = text[at], _CLOSING[text[at]], 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == opening:
            depth += 1
        elif text[at] == closing:
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return None


def _joined(found: Sequence[Piece]) -> tuple[Piece, ...]:
    """Neighbours of one weight in one piece, empty ones left out."""
    rows = list[Piece]()
    for piece in found:
        if not piece.text:
            continue
        if rows and rows[-1].weight == piece.weight:
            rows[-1] = Piece(rows[-1].text + piece.text, piece.weight)
        else:
            rows.append(piece)
    return tuple(rows)


def _plain(text: str) -> str:
    """Without the backslashes before special signs."""
    return re.sub(rf"\\([{re.escape(_SPECIAL)}])", r"\1", text)
