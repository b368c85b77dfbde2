"""What networks have made of pictures, kept while the views that show them are painted.

A pipeline that is called for every single step encodes the picture of a ControlNet, or a
reference, each time anew. The answer is the same: encoding takes nothing from chance, only the
draw from what it gives does.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

_Key = tuple[str, tuple[int, ...], str, bool]


@dataclass(slots=True)
class Encodings:
    """By a picture's bits, as many as there were pictures."""

    _known: dict[_Key, Any] = field(default_factory=dict)

    @contextmanager
    def of(self, vae: Any) -> Iterator[None]:
        """Within the block the VAE encodes no picture that it has encoded before."""
        plain, own = vae.encode, vars(vae).get("encode")

        def encode(pixels: Tensor, return_dict: bool = True) -> Any:
            key = (_digest(pixels), tuple(pixels.shape), str(pixels.dtype), return_dict)
            if key not in self._known:
                self._known[key] = plain(pixels, return_dict=return_dict)
            return self._known[key]

        vae.encode = encode
        try:
            yield
        finally:
            if own is None:
                del vae.encode
            else:
                vae.encode = own


@dataclass(slots=True)
class Readings:
    """What a text encoder has read of words together with pictures (Qwen-Image-Edit), by both."""

    _known: dict[tuple[str, ...], Any] = field(default_factory=dict)

    def of(self, pipe: Any, pictures: Sequence[Any]) -> None:
        """Have the pipeline read nothing that it has read before. `pictures`: PIL, the ones that
        it is shown."""
        plain, shown = pipe.encode_prompt, [_bits(picture) for picture in pictures]

        @functools.wraps(plain)
        def read(*said: Any, **named: Any) -> Any:
            every = inspect.signature(plain).bind(*said, **named).arguments
            if every.get("prompt_embeds") is not None:
                return plain(*said, **named)
            key = (*shown, str(every.get("prompt")))
            if key not in self._known:
                self._known[key] = plain(*said, **named)
            return self._known[key]

        pipe.encode_prompt = read


def _bits(picture: Any) -> str:
    return hashlib.sha256(f"{picture.size}".encode() + picture.tobytes()).hexdigest()


def _digest(pixels: Tensor) -> str:
    plain = pixels.detach().contiguous().cpu().view(torch.uint8)
    return hashlib.sha256(plain.numpy().data).hexdigest()
