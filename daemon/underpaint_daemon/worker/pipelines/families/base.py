"""What a family must say about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Task(StrEnum):
    """The three ways to start denoising."""

    TEXT = "text"
    IMAGE = "image"
    INPAINT = "inpaint"


@dataclass(frozen=True, slots=True)
class TextPart:
    """A tokenizer and its encoder, and which of the encoder's classes it is."""

    tokenizer: str
    encoder: str
    encoder_class: str


Embedding = dict[str, Any]
"""Keyword arguments of a pipeline call that carry the prompt."""


@dataclass(frozen=True, slots=True)
class Words:
    """A prompt for a pipeline that encodes it itself. `guided`: the negative one counts too.
    `pictures`: the references that it is read together with."""

    text: str
    negative: str
    guided: bool
    pictures: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """What a family puts into its pipelines' own arguments. `size`: height and width in pixels.
    `references`: PIL images. `image_guidance`: how closely the picture to start from is kept.
    `steps`: how many there will be, where that is known."""

    task: Task
    guidance: float
    size: tuple[int, int]
    references: tuple[Any, ...] = ()
    image_guidance: float = 1.0
    steps: int | None = None


def unchanged(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a control as they are."""
    return arguments


def plain_guidance(ask: Ask) -> dict[str, Any]:
    """The scale under the name that most pipelines have for it."""
    return {"guidance_scale": ask.guidance}


@dataclass(frozen=True, slots=True)
class Family:
    """How diffusers' pipelines of one family are named and called.

    `pipelines`: class name by task and whether a ControlNet takes part. `control_argument`: the
    call's name for control images; in Stable Diffusion's text-to-image it is `image`, which
    elsewhere is the picture to start from. `fixed`: constructor arguments of every pipeline that
    knows them. `arguments`: the call's arguments for guidance and references.

    Of UNet families: `text_parts`; `embed(parts, index, texts)` encodes (positive, negative).
    Of the others: `read(pipe, words)` encodes through the pipeline's own code.
    `self_decoding`: the pipeline gives pictures, not latents. `patches`: its latents travel as a
    sequence of patches so many cells a side (None = as an image). `control_channels`: the control
    picture goes into the network's own input channels, without a ControlNet. `whole_pictures`:
    the call takes PIL images to start from. `controlled`: what is made of a control's arguments.
    `needs_picture`: words alone begin from plain grey. `whole_noise`: it begins from pure noise
    whatever it is given, so that a strength means nothing to it. `foreign`: whatever a folder
    names, with its own scheduler where none of ours has its noise levels. `modular`: blocks in
    place of a pipeline. `reads_negative`: it is told what not to paint.
    """

    name: str
    pipelines: Mapping[tuple[Task, bool], str]
    control_argument: Mapping[Task, str]
    text_parts: tuple[TextPart, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    embed: Callable[[Mapping[str, Any], Mapping[str, Any], tuple[str, str]], Embedding] | None = (
        None
    )
    read: Callable[[Any, Words], Embedding] | None = None
    arguments: Callable[[Ask], dict[str, Any]] = plain_guidance
    self_decoding: bool = False
    patches: int | None = None
    control_channels: bool = False
    whole_pictures: bool = False
    controlled: Callable[[dict[str, Any]], dict[str, Any]] = unchanged
    needs_picture: bool = False
    whole_noise: bool = False
    foreign: bool = False
    modular: bool = False
    reads_negative: bool = True

    @property
    def first(self) -> tuple[Task, bool]:
        """A task that it has, without a ControlNet where it can."""
        return min(self.pipelines, key=lambda key: (key[1], list(Task).index(key[0])))
