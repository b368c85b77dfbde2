"""Tokenizers that lie as SentencePiece writes them, and as nothing else, read words as
SentencePiece itself does; those that cannot be read are refused by name.

`tests/data/sentencepiece`: three vocabularies that SentencePiece's own trainer made, and what its
own reader makes of texts in many scripts.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from transformers import LlamaTokenizer, PreTrainedTokenizerFast, T5Tokenizer

from underpaint.errors import RequestError
from underpaint_daemon.worker.pipelines.loading.encoders.glm import GlmTokenizer
from underpaint_daemon.worker.pipelines.loading.encoders.words import load_words

DATA = Path(__file__).parents[2] / "data/sentencepiece"
TRUTH: dict[str, Any] = json.loads((DATA / "ids.json").read_text(encoding="utf-8"))
AS_PUBLISHED = [
    ("t5", T5Tokenizer, "spiece.model"),
    ("mt5", T5Tokenizer, "spiece.model"),
    ("t5", PreTrainedTokenizerFast, "tokenizer.model"),
    ("mt5", PreTrainedTokenizerFast, "spiece.model"),
    ("llama", PreTrainedTokenizerFast, "tokenizer.model"),
]


def folder_of(name: str, file: str, place: Path) -> Path:
    place.mkdir(exist_ok=True)
    shutil.copy(DATA / f"{name}.model", place / file)
    return place


def ids(tokenizer: Any, text: str) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=False).input_ids
    return found


@pytest.mark.parametrize(("name", "kind", "file"), AS_PUBLISHED)
def test_words_are_read_as_sentencepiece_reads_them(
    name: str, kind: Any, file: str, tmp_path: Path
) -> None:
    tokenizer = load_words(kind, folder_of(name, file, tmp_path))
    for text, expected in zip(TRUTH["texts"], TRUTH[name], strict=True):
        assert ids(tokenizer, text) == expected, text


def test_llamas_reads_as_its_class_does_from_a_tokenizer_json(tmp_path: Path) -> None:
    """It differs from SentencePiece only where a text begins with spaces."""
    tokenizer = load_words(LlamaTokenizer, folder_of("llama", "tokenizer.model", tmp_path))
    for text, expected in zip(TRUTH["texts"], TRUTH["llama"], strict=True):
        assert text.startswith("  ") or ids(tokenizer, text) == expected, text


@pytest.mark.parametrize(("name", "kind"), [("t5", T5Tokenizer), ("llama", LlamaTokenizer)])
def test_a_tokenizer_json_of_the_same_says_the_same(name: str, kind: Any, tmp_path: Path) -> None:
    alone = load_words(kind, folder_of(name, "spiece.model", tmp_path / "alone"))
    alone.save_pretrained(tmp_path / "whole")
    whole = kind.from_pretrained(tmp_path / "whole")
    for text in [*TRUTH["texts"], "a</s>b <pad> <s>", "<extra_id_0> and <extra_id_99>"]:
        assert alone(text).input_ids == whole(text).input_ids, text
    assert len(alone) == len(whole)
    assert alone.padding_side == whole.padding_side


def test_its_marks_are_where_the_text_encoder_has_them(tmp_path: Path) -> None:
    place = folder_of("t5", "spiece.model", tmp_path)
    (place / "tokenizer_config.json").write_text(
        json.dumps({"model_max_length": 300, "extra_ids": 100, "tokenizer_class": "T5Tokenizer"})
    )
    tokenizer = load_words(T5Tokenizer, place)
    assert tokenizer.model_max_length == 300
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id) == (0, 1, 2)
    assert tokenizer("red").input_ids[-1] == 1
    padded = tokenizer("red", padding="max_length", max_length=8).input_ids
    assert padded[-2:] == [0, 0]
    assert tokenizer("<extra_id_0>").input_ids == [699, 1]


def test_chatglms_words_stand_behind_its_marks_at_the_right(tmp_path: Path) -> None:
    """As diffusers' tokenizer of Kolors lays them out with SentencePiece's own package."""
    tokenizer = GlmTokenizer.from_folder(folder_of("llama", "tokenizer.model", tmp_path))
    for text, expected in zip(TRUTH["texts"], TRUTH["llama"], strict=True):
        told = tokenizer(text, padding="max_length", max_length=96, return_tensors="pt")
        laid, empty = [701, 703, *expected], 96 - 2 - len(expected)
        assert told["input_ids"].tolist() == [[0] * empty + laid], text
        assert told["attention_mask"].tolist() == [[0] * empty + [1] * len(laid)]
        assert told["position_ids"].tolist() == [[0] * empty + list(range(len(laid)))]
    short = tokenizer("a red brick", max_length=4, truncation=True, return_tensors="pt")
    assert short["input_ids"].shape == (1, 4)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"", "is empty"),
        (bytes([10, 200, 1, 0]), "cut short"),
        (b"\x0f\x00" * 9, "no vocabulary of SentencePiece's"),
        (b"\x12\x00", "no pieces"),
        (None, "has no vocabulary in it"),
    ],
)
def test_what_is_no_vocabulary_is_refused_by_its_name(
    data: bytes | None, told: str, tmp_path: Path
) -> None:
    if data is not None:
        (tmp_path / "spiece.model").write_bytes(data)
    (tmp_path / "tokenizer_config.json").write_text("{}")
    with pytest.raises(RequestError, match=told) as caught:
        load_words(T5Tokenizer, tmp_path)
    assert str(tmp_path) in caught.value.message


def test_a_file_that_ends_anywhere_is_refused(tmp_path: Path) -> None:
    whole = (DATA / "t5.model").read_bytes()
    for end in range(100, len(whole), 997):
        (tmp_path / "spiece.model").write_bytes(whole[:end])
        with pytest.raises(RequestError, match="cut short"):
            load_words(T5Tokenizer, tmp_path)
