"""The words of a model that knows few: a prompt put into those that it learnt.

A small model was taught on short captions of one form ("a red brick head on sand"). What else an
artist writes is noise to it, and worse: its tokenizer finds "red" in "weathered". Its `words.json`
says which phrases it knows, and which others mean the same; a prompt is read for colours,
materials, things and surroundings, and said again as a caption would say it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any

from underpaint.words import is_weighted, pieces
from underpaint_daemon.common.model_files import broken, read_json

NAME = "words.json"
# A word; of scripts without spaces, a sign; a mark that parts things.
_TOKEN = re.compile(r"[぀-ヿ㐀-鿿]|[^\W_぀-ヿ㐀-鿿]+|[,;.]")
_LONGEST = 4  # words of a phrase; signs of one without spaces
_MARKS = ",;."
_COLOURS, _THINGS = 2, 3  # at most, of a thing and of a picture


class Role(StrEnum):
    """What a phrase says; `words.json` has the phrases under these names, by what they mean."""

    COLOUR = "colours"
    MATERIAL = "materials"
    THING = "things"
    PLACE = "places"
    LIGHT = "lights"
    STYLE = "styles"


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt in the model's words, and the words that it does not know, in the prompt's order."""

    text: str
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Thing:
    colours: tuple[str, ...] = ()
    material: str = ""
    noun: str = ""

    def lacking(self, other: _Thing) -> _Thing:
        """With what it lacks from another."""
        return _Thing(
            self.colours or other.colours, self.material or other.material, self.noun or other.noun
        )


@dataclass(slots=True)
class _Heard:
    """What was heard so far. `parted`: whether the next words may be another thing's."""

    things: list[_Thing] = field(default_factory=lambda: [_Thing()])
    said: dict[Role, str] = field(default_factory=dict)
    backdrop: str = ""
    parted: bool = False
    unknown: list[str] = field(default_factory=list)
    plainly: bool = True

    @property
    def is_caption(self) -> bool:
        """Whether each thing is named, and what it looks like, in words as captions have them."""
        told = all(one.noun and (one.colours or one.material) for one in self.things)
        return told and self.plainly and not self.unknown


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`phrases`: what their words mean, in which role. `means`: other phrases, and how to say
    them. `over`: materials that lie over others; `own_colour`: those that take no colour.
    `little`: words that say nothing to it; `of_captions`: those of them that captions have."""

    phrases: Mapping[tuple[str, ...], tuple[Role, str]]
    means: Mapping[tuple[str, ...], str]
    backdrops: frozenset[str]
    joints: frozenset[tuple[str, ...]]
    little: frozenset[str]
    of_captions: frozenset[str]
    over: frozenset[str]
    own_colour: frozenset[str]
    material: str
    thing: str

    @classmethod
    def of(cls, folder: Path) -> Vocabulary | None:
        """A model folder's own; None where it has none: then it reads every word.

        Raises RequestError(MODEL_BROKEN) that names the file and the field.
        """
        file = folder / NAME
        if not file.is_file():
            return None
        known = read_json(file)
        try:
            return cls(
                phrases={
                    _words(phrase): (role, meaning)
                    for role in Role
                    for meaning, phrases in known[role].items()
                    for phrase in phrases
                },
                means={_words(one): str(other) for one, other in known["means"].items()},
                backdrops=frozenset(known["backdrops"]),
                joints=frozenset(_words(one) for one in known["joints"]),
                little=frozenset(known["little"]) | frozenset(known["of_captions"]),
                of_captions=frozenset(known["of_captions"]),
                over=frozenset(known["over"]),
                own_colour=frozenset(known["own_colour"]),
                material=str(known["unsaid"]["material"]),
                thing=str(known["unsaid"]["thing"]),
            )
        except (KeyError, AttributeError, TypeError) as error:
            broken(file, f"cannot be understood: {error}")

    def read(self, prompt: str, tokenizer: Any) -> Reading:
        """A prompt in the model's words. An empty one stays empty, and so does what reads like a
        caption: a thing with a colour or material, in words that are each one of the tokenizer's.
        Of words that are all unknown nothing is left but the thing. With weights or breaks, the
        known words as they stand."""
        if not prompt.strip():
            return Reading("")
        if is_weighted(prompt):
            return self._read_weighted(prompt)
        heard = self._heard(prompt)
        if heard.is_caption and all(_is_whole(word, tokenizer) for word in _tokens(prompt)):
            return Reading(prompt)
        return Reading(self._caption(heard), tuple(dict.fromkeys(heard.unknown)))

    def _read_weighted(self, prompt: str) -> Reading:
        windows = [
            " ".join(filter(None, (self._known(one.text, one.weight) for one in window)))
            for window in pieces(prompt)
        ]
        unknown = [self._heard(one.text).unknown for window in pieces(prompt) for one in window]
        return Reading(" BREAK ".join(windows), tuple(dict.fromkeys(chain.from_iterable(unknown))))

    def _known(self, text: str, weight: float) -> str:
        phrases = self._parts(_tokens(text))
        said = " ".join(self.phrases[one][1] for one in phrases if one in self.phrases)
        return f"({said}:{weight:g})" if said and weight != 1 else said

    def _heard(self, prompt: str) -> _Heard:
        heard = _Heard()
        for phrase in self._parts(_tokens(prompt)):
            self._hear(heard, phrase)
        return heard

    def _parts(self, tokens: Sequence[str]) -> Iterable[tuple[str, ...]]:
        """The words in known phrases, and what is not of one word by word; what means others, in
        the others' words."""
        known = {**self.phrases, **dict.fromkeys(self.joints), **self.means}
        for span, phrase in _longest(tokens, known):
            if phrase is not None and phrase in self.means:
                yield from self._parts(_words(self.means[phrase]))
            else:
                yield span if phrase is None else phrase

    def _hear(self, heard: _Heard, phrase: tuple[str, ...]) -> None:
        if phrase in self.joints or phrase[0] in _MARKS:
            heard.parted = True
        elif phrase in self.phrases:
            self._heed(heard, *self.phrases[phrase])
        elif phrase[0] in self.backdrops:
            _move_behind(heard)
        elif phrase[0] in self.little:
            heard.plainly &= phrase[0] in self.of_captions
        else:
            heard.unknown.append(phrase[0])

    def _heed(self, heard: _Heard, role: Role, meaning: str) -> None:
        if role not in (Role.COLOUR, Role.MATERIAL, Role.THING):
            heard.said.setdefault(role, meaning)
            return
        if heard.parted and heard.things[-1].noun and not self._generic(heard, role, meaning):
            heard.things.append(_Thing())
        heard.parted = False
        thing = heard.things[-1]
        if role is Role.COLOUR:
            thing = replace(thing, colours=(*thing.colours, meaning))
        elif role is Role.MATERIAL:
            thing = replace(thing, material=self._lying_on(thing.material, meaning))
        elif not thing.noun or thing.noun == self.thing:
            thing = replace(thing, noun=meaning)
        heard.things[-1] = thing

    def _generic(self, heard: _Heard, role: Role, meaning: str) -> bool:
        """Whether a word for any thing stands behind another's name: "a cow, a statue"."""
        return role is Role.THING and meaning == self.thing and bool(heard.things[-1].noun)

    def _lying_on(self, below: str, material: str) -> str:
        """The one of two materials that is seen: the first, but for what lies over others."""
        return (
            material if not below or (material in self.over and below not in self.over) else below
        )

    def _caption(self, heard: _Heard) -> str:
        text = " and ".join(self._phrase(thing) for thing in _joined(heard.things))
        if Role.PLACE in heard.said:
            text += f" {heard.said[Role.PLACE]}"
        if heard.backdrop:
            text += f", {heard.backdrop} background"
        if Role.LIGHT in heard.said:
            text += f", {heard.said[Role.LIGHT]}"
        return heard.said.get(Role.STYLE, "{}").replace("{}", text)

    def _phrase(self, thing: _Thing) -> str:
        material = thing.material or self.material
        colours = () if material in self.own_colour else tuple(dict.fromkeys(thing.colours))
        words = (" and ".join(colours[:_COLOURS]), material, thing.noun or self.thing)
        text = " ".join(word for word in words if word)
        return f"{'an' if text[0] in 'aeio' else 'a'} {text}"


def _move_behind(heard: _Heard) -> None:
    """What was taken for a thing's colour was the background's: "on a red background"."""
    last = heard.things[-1]
    if last.colours:
        heard.backdrop = last.colours[-1]
        heard.things[-1] = last = replace(last, colours=last.colours[:-1])
    if not last.noun and not last.colours and len(heard.things) > 1:
        heard.things.pop()


def _joined(things: Sequence[_Thing]) -> list[_Thing]:
    """The things that have a name; what was said without one belongs to the one before it."""
    found: list[_Thing] = []
    for thing in things:
        if thing.noun or not found:
            found.append(thing)
        else:
            found[-1] = found[-1].lacking(thing)
    return list(dict.fromkeys(found))[:_THINGS]


def _longest(
    tokens: Sequence[str], known: Mapping[tuple[str, ...], object]
) -> Iterable[tuple[tuple[str, ...], tuple[str, ...] | None]]:
    """Every stretch of the words with the known phrase that it is, the longest that may be; a word
    of none alone, with None."""
    at = 0
    while at < len(tokens):
        for count in range(min(_LONGEST, len(tokens) - at), 0, -1):
            span = tuple(tokens[at : at + count])
            phrase = next((one for one in _singular(span) if one in known), None)
            if phrase is not None or count == 1:
                yield span, phrase
                at += count
                break


def _singular(span: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """A phrase as it is written, and what it may be the plural of."""
    yield span
    for ending, instead in (("ies", "y"), ("es", ""), ("s", "")):
        if span[-1].endswith(ending) and len(span[-1]) > len(ending) + 2:
            yield (*span[:-1], span[-1].removesuffix(ending) + instead)


def _is_whole(word: str, tokenizer: Any) -> bool:
    return word in _MARKS or len(tokenizer(word, add_special_tokens=False).input_ids) == 1


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.lower().replace("'s ", " "))


def _words(phrase: str) -> tuple[str, ...]:
    return tuple(_tokens(phrase))
