"""Words and pictures for Qwen 2.5 VL, and words for Mistral 3, without torchvision.

transformers' own processors insist on torchvision, which may not be there (it breaks diffusers
when it does not match torch): Qwen's for videos, which its pipelines do not show it; Mistral's
(Pixtral) for pictures, which FLUX.2 is not described in words by.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers

from .encoders.tekken import FILE as TEKKEN
from .encoders.tekken import mistral_tokenizer

_PICTURE = "<|image_pad|>"
_RELEASED = {"min_pixels": 56 * 56, "max_pixels": 28 * 28 * 16384}
_HELD = "<|held_pad|>"


class PictureProcessor:
    """Tokenizes texts that hold a mark for each picture, and cuts the pictures into patches."""

    def __init__(self, tokenizer: Any, pictures: Any) -> None:
        self.tokenizer, self.image_processor = tokenizer, pictures

    @classmethod
    def from_folder(cls, folder: Path) -> PictureProcessor:
        """From a processor's folder, as transformers saves it, or a tokenizer's: then pictures are
        cut as by the processor that was released with Qwen 2.5 VL."""
        tokenizer = transformers.Qwen2Tokenizer.from_pretrained(str(folder), local_files_only=True)
        if not (folder / "preprocessor_config.json").is_file():
            return cls(tokenizer, transformers.Qwen2VLImageProcessor(**_RELEASED))
        pictures = transformers.Qwen2VLImageProcessor.from_pretrained(
            str(folder), local_files_only=True
        )
        return cls(tokenizer, pictures)

    def __call__(
        self,
        text: list[str],
        images: Any = None,
        padding: bool = True,
        return_tensors: str = "pt",
        **unused: Any,
    ) -> Any:
        """As transformers' processor: a mark becomes as many tokens as its picture has merged
        patches, in the order of the pictures."""
        del unused
        seen = {} if images is None else dict(self.image_processor(images, return_tensors="pt"))
        if seen:
            merged = self.image_processor.merge_size**2
            counts = [int(grid.prod()) // merged for grid in seen["image_grid_thw"]]
            text = _expanded(text, counts)
        told = self.tokenizer(text, padding=padding, return_tensors=return_tensors)
        return transformers.BatchFeature({**told, **seen})


class ChatProcessor:
    """Tokenizes a conversation in words by the tokenizer's own template."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    @classmethod
    def from_place(cls, place: Path) -> ChatProcessor:
        """From a processor's folder, as transformers saves it; from Mistral's own file, in a folder
        or by itself, or one that it lies in."""
        own = place / TEKKEN
        place = own if own.is_file() and not (place / "tokenizer.json").is_file() else place
        if place.is_file():
            return cls(mistral_tokenizer(place))
        return cls(
            transformers.PreTrainedTokenizerFast.from_pretrained(str(place), local_files_only=True)
        )

    def apply_chat_template(self, conversation: Any, **how: Any) -> Any:
        """As transformers' processor, of conversations without pictures."""
        return self.tokenizer.apply_chat_template(conversation, **how)


def _expanded(texts: list[str], counts: list[int]) -> list[str]:
    """The same pictures stand in every text."""
    result = []
    for text in texts:
        for count in counts:
            text = text.replace(_PICTURE, _HELD * count, 1)
        result.append(text.replace(_HELD, _PICTURE))
    return result
