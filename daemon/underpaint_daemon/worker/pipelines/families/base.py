"""What a family must say about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from torch import Tensor


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


Embedding = dict[str, Tensor]
"""Keyword arguments of a pipeline call that carry the prompt."""


@dataclass(frozen=True, slots=True)
class Family:
    """How diffusers' pipelines of one family are named and called.

    `pipelines`: class name by task and whether a ControlNet takes part. `control_argument`: the
    call's name for control images; in text-to-image it is `image`, which elsewhere is the picture
    to start from. `fixed`: constructor arguments of every pipeline that knows them.
    `embed(parts, index, texts)`: encode (positive, negative).
    """

    name: str
    pipelines: Mapping[tuple[Task, bool], str]
    control_argument: Mapping[Task, str]
    text_parts: tuple[TextPart, ...]
    fixed: Mapping[str, Any]
    embed: Callable[[Mapping[str, Any], Mapping[str, Any], tuple[str, str]], Embedding]
    hidden_states: Callable[[Mapping[str, Any], list[str]], Tensor]
