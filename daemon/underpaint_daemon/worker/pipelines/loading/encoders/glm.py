"""ChatGLM's tokenizer, as Kolors reads with it, without SentencePiece's own package.

Source: diffusers' `pipelines/kolors/tokenizer.py`: two marks before the words, filled up on the
left, and the number of each token beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from tokenizers.processors import TemplateProcessing
from transformers import BatchEncoding

from underpaint_daemon.common.model_files import broken

from .spiece import Vocabulary
from .words import pieces_in, tokenizer_of

# Marks that the file does not hold: their numbers are those after its pieces'.
_MARKS = ("[MASK]", "[gMASK]", "[sMASK]", "sop", "eop")
_BEFORE = ("[gMASK]", "sop")


class GlmTokenizer:
    """`model_max_length`: as other tokenizers', of no bound."""

    def __init__(self, read: Vocabulary) -> None:
        words = tokenizer_of(read)
        numbers = [(mark, len(read.pieces) + _MARKS.index(mark)) for mark in _BEFORE]
        words.post_processor = TemplateProcessing(single=[*_BEFORE, "$A"], special_tokens=numbers)
        unknown = read.pieces[read.trainer_spec.unk_id].piece
        self.tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_object=words, padding_side="left", pad_token=unknown
        )
        self.model_max_length = self.tokenizer.model_max_length

    @classmethod
    def from_folder(cls, folder: Path) -> GlmTokenizer:
        """Raises RequestError(MODEL_BROKEN)."""
        read = pieces_in(folder)
        if read is None:
            broken(folder, "has no vocabulary in it", "Fetch the model again, whole.")
        return cls(read)

    def __call__(self, text: Any, **how: Any) -> BatchEncoding:
        """As transformers' tokenizers, with `position_ids`, which begin with the first mark."""
        told = self.tokenizer(text, **how)
        counted = told["attention_mask"].cumsum(-1) - 1
        return BatchEncoding({**told, "position_ids": counted.clamp(min=0)})
