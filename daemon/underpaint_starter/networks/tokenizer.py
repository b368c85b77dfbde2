"""A byte-pair tokenizer over the captions' own words, in CLIP's form."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import Tensor
from transformers import CLIPTokenizer

LENGTH = 77
START, END = "<|startoftext|>", "<|endoftext|>"


def train_tokenizer(captions: Iterable[str], size: int = 2048) -> CLIPTokenizer:
    """Byte-level BPE with CLIP's end-of-word suffix; every byte is known, so any prompt can be
    written. `size`: vocabulary, at least 514 (the bytes, the bytes that end a word, two marks)."""
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    bpe.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size - 258,
        min_frequency=2,
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    bpe.train_from_iterator(captions, trainer)
    learnt = json.loads(bpe.to_str())["model"]
    tokens = dict.fromkeys([*sorted(alphabet), *(f"{byte}</w>" for byte in sorted(alphabet))])
    tokens |= dict.fromkeys(sorted(learnt["vocab"], key=learnt["vocab"].__getitem__))
    vocabulary = {token: index for index, token in enumerate([*tokens, START, END])}
    merges = [(left, right) for left, right in learnt["merges"]]
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=LENGTH)


def tokenize(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """(n, 77) token ids, padded and cut as the pipelines do."""
    ids = tokenizer(
        texts, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt"
    ).input_ids
    return torch.as_tensor(ids)


def load_or_train_tokenizer(folder: Path, captions: Iterable[str]) -> CLIPTokenizer:
    """The tokenizer of a work folder, made from the captions the first time."""
    if not (folder / "tokenizer_config.json").exists():
        train_tokenizer(captions).save_pretrained(folder)
    loaded: CLIPTokenizer = CLIPTokenizer.from_pretrained(folder)
    return loaded
