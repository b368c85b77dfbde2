"""Mistral's tokenizer, made of what an encoder's file says of it: `tekken.json`, by itself or as a
tensor, or the tokens of a GGUF file.

Sources: the format of tekken.json (mistral-common); llama.cpp's facts of a vocabulary (gguf-py);
the pattern and the template of Mistral Small 3.2, as released.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers.convert_slow_tokenizer import bytes_to_unicode

from underpaint_daemon.common.contents.gguf import gguf_facts, is_gguf
from underpaint_daemon.common.model_files import broken

from ..weights import WeightFile

FILE, _TENSOR = "tekken.json", "tekken_model"
_PATTERN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# A conversation whose words come in pieces, as diffusers' FLUX.2 has it.
_CHAT = (
    "{{ bos_token }}{% for message in messages %}"
    "{% set mark = 'SYSTEM_PROMPT' if message.role == 'system' else 'INST' %}"
    "{{ '[' + mark + ']' }}{% for piece in message.content %}{{ piece.text }}{% endfor %}"
    "{{ '[/' + mark + ']' }}{% endfor %}"
)
_MARKS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
_CONTROL = 3  # llama.cpp's type of tokens that are marks
_DAMAGED = (ValueError, LookupError, TypeError, AttributeError)


def mistral_tokenizer(file: Path) -> Any:
    """The tokenizer that a file holds: a tekken.json, a safetensors file with one in it, or a GGUF
    file of llama.cpp's. Raises RequestError(MODEL_BROKEN)."""
    try:
        if file.suffix == ".json":
            return _of_tekken(file.read_bytes())
        weights = WeightFile(file)
        name = next((name for name in weights.names if name.endswith(_TENSOR)), None)
        if name is not None:
            return _of_tekken(weights.tensor(name).numpy().tobytes())
        if is_gguf(file):
            return _of_gguf(gguf_facts(file))
    except _DAMAGED as error:
        broken(file, f"has a tokenizer that cannot be read: {error}")
    broken(file, "has no tokenizer of Mistral's in it")


def _of_tekken(data: bytes) -> Any:
    told = json.loads(data)
    config, rows = told["config"], sorted(told["special_tokens"], key=lambda row: int(row["rank"]))
    marks = [str(row["token_str"]) for row in rows]
    count = int(config.get("default_num_special_tokens") or len(marks))
    marks += [f"<SPECIAL_{i}>" for i in range(len(marks), count)]
    words = sorted(told["vocab"], key=lambda row: int(row["rank"]))
    if config.get("default_vocab_size"):
        words = words[: int(config["default_vocab_size"]) - count]
    tokens = [base64.b64decode(row["token_bytes"]) for row in words]
    letters = bytes_to_unicode()
    spelled = {token: "".join(letters[byte] for byte in token) for token in tokens}
    vocabulary = {mark: i for i, mark in enumerate(marks)}
    vocabulary |= {spelled[token]: count + i for i, token in enumerate(tokens)}
    merges = [(spelled[left], spelled[right]) for left, right in _merges(tokens)]
    return _made(vocabulary, merges, marks, str(config["pattern"]))


def _merges(tokens: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Each token's halves that are tokens themselves, the commonest first."""
    ranks = {token: i for i, token in enumerate(tokens)}
    for token in tokens:
        halves = ((token[:i], token[i:]) for i in range(1, len(token)))
        both = [(left, right) for left, right in halves if left in ranks and right in ranks]
        yield from sorted(both, key=lambda pair: (ranks[pair[0]], ranks[pair[1]]))


def _of_gguf(facts: Mapping[str, Any]) -> Any:
    kind = facts.get("tokenizer.ggml.pre")
    if kind != "tekken":
        raise ValueError(f"it is {kind}, not tekken")
    tokens, types = facts["tokenizer.ggml.tokens"], facts["tokenizer.ggml.token_type"]
    marks = [token for token, kind in zip(tokens, types, strict=True) if kind == _CONTROL]
    merges = [tuple(pair.split(" ")) for pair in facts["tokenizer.ggml.merges"]]
    return _made({token: i for i, token in enumerate(tokens)}, merges, marks, _PATTERN)


def _made(vocabulary: dict[str, int], merges: list[Any], marks: Iterable[str], pattern: str) -> Any:
    words = Tokenizer(models.BPE(vocabulary, merges, fuse_unk=False, ignore_merges=True))
    words.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    words.decoder = decoders.ByteLevel()
    words.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in marks])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, padding_side="left", chat_template=_CHAT, **_MARKS
    )
