"""What words say to the guide, as vectors: fixed random directions of materials and colours.

Patterns are learnt under these codes before the prompt's encoder knows them; the encoder learns to
say the same codes meanwhile (`words`). Each then has an easy problem of its own.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor
from torch.nn import functional as F

from underpaint_starter.scenes.captions import ObjectWords
from underpaint_starter.scenes.colours import COLOURS, TWO_TONE
from underpaint_starter.scenes.materials import MATERIALS

ALOUD = 2.5  # root mean square of codes where they enter the time embedding
_STRENGTHS = (1.0, 0.7, 0.4)  # of material, colour, second colour
_BACKGROUND = re.compile(r"(on an? |, )?([a-z]+ )?[a-z]+ background")
_COLOURS = ("", *COLOURS)
_MATERIALS = tuple(MATERIALS)


class WordCodes:
    """Codes (n, width) of labels."""

    def __init__(self, width: int, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(11)
        counts = (len(_MATERIALS), len(_COLOURS), len(_COLOURS))
        self._tables = [
            strength * torch.randn(count, width, generator=generator).to(device)
            for count, strength in zip(counts, _STRENGTHS, strict=True)
        ]

    def of(self, labels: Tensor) -> Tensor:
        """(n, 3) indices of material, colour and second colour to codes of mean 0, variance 1."""
        total = torch.stack([table[labels[:, k]] for k, table in enumerate(self._tables)]).sum(0)
        return F.layer_norm(total, total.shape[-1:])

    def named(self, codes: Tensor) -> Tensor:
        """The material (n,) that codes speak of, by its index."""
        return (codes @ self._tables[0].T).argmax(1)


def labels_of(words: ObjectWords) -> list[int]:
    """Indices of an object's material, colour and second colour; 0 = no colour is named."""
    places = (_COLOURS.index(words.colour), _COLOURS.index(words.second))
    return [_MATERIALS.index(words.material), *places]


def read_labels(caption: str, material: str) -> list[int]:
    """The same by the words of a caption of one object in a studio."""
    text = _BACKGROUND.sub("", caption).replace("gray", "grey").replace(",", " ")
    said = [word for word in text.split() if word in COLOURS]
    second = said[1] if material in TWO_TONE and len(said) > 1 else ""
    return labels_of(ObjectWords("", said[0] if said else "", material, second))
