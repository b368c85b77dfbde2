"""Tokenizers from their folders, of whatever class; those of SentencePiece's vocabularies alone,
too, for which transformers wants two more packages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tokenizers import Regex, Tokenizer, normalizers
from tokenizers.models import BPE, Unigram
from transformers.convert_slow_tokenizer import SLOW_TO_FAST_CONVERTERS, SentencePieceExtractor
from transformers.tokenization_utils_tokenizers import TokenizersBackend

from underpaint_daemon.common.contents.disguises import disguise_of
from underpaint_daemon.common.model_files import broken

from .spiece import UNIGRAM, Vocabulary, read_pieces

_WHOLE = "tokenizer.json"
_TEKKEN = "tekken.json"
_AGAIN = "Fetch the model again, whole."


def load_words(kind: Any, folder: Path) -> Any:
    """A tokenizer of a class of transformers'. Raises RequestError(MODEL_BROKEN) where its
    vocabulary is missing or damaged, and what the class raises."""
    plain = not (isinstance(kind, type) and issubclass(kind, TokenizersBackend))
    read = None if plain or (folder / _WHOLE).is_file() else pieces_in(folder)
    if read is not None:
        return _of_pieces(kind, folder, read)
    if not plain:
        _refuse_empty(kind, folder)
    return kind.from_pretrained(str(folder), local_files_only=True)


def pieces_in(folder: Path) -> Vocabulary | None:
    """SentencePiece's vocabulary in a tokenizer's folder, where there is one. Raises
    RequestError(MODEL_BROKEN)."""
    file = _file_in(folder)
    return None if file is None else _read(file)


def _file_in(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("*.model"))), None)


def _refuse_empty(kind: Any, folder: Path) -> None:
    """Some classes make a vocabulary of five words where there is none."""
    names = {_WHOLE, _TEKKEN, *kind.vocab_files_names.values()}
    if not any((folder / name).is_file() for name in names):
        broken(folder, "has no vocabulary in it", _AGAIN)


def _read(file: Path) -> Vocabulary:
    told = disguise_of(file)
    if told is not None:
        broken(file, told.problem, _AGAIN)
    try:
        return read_pieces(file)
    except (ValueError, LookupError) as error:
        broken(file, f"has a tokenizer that cannot be read: {error}", _AGAIN)


def _of_pieces(kind: Any, folder: Path, read: Vocabulary) -> Any:
    """What transformers makes of a vocabulary that its own packages have read, step by step."""
    made: dict[str, Any] = {}

    def converted(cls: Any, _file: str, given: Mapping[str, Any]) -> dict[str, Any]:
        made.update(_extracted(read, cls.model, given))
        converter = SLOW_TO_FAST_CONVERTERS.get(cls.__name__)
        if hasattr(converter, "convert_from_spm"):
            made.update(converter.convert_from_spm(**made))
        if kind is TokenizersBackend or "__init__" not in vars(kind):
            return {**_marks(read), **given, "tokenizer_object": tokenizer_of(read)}
        return dict(made)

    reading: Any = type(
        kind.__name__, (kind,), {"_convert_from_sentencepiece": classmethod(converted)}
    )
    tokenizer = reading.from_pretrained(
        str(folder), vocab_file=str(_file_in(folder)), local_files_only=True
    )
    backend = tokenizer.backend_tokenizer
    if read.trainer_spec.byte_fallback and isinstance(backend.model, Unigram):
        # transformers leaves it out: letters that it has no piece for would all be one.
        backend.model = Unigram(made["vocab"], made["unk_id"], byte_fallback=True)
    return tokenizer


def _marks(read: Vocabulary) -> dict[str, str]:
    """What a vocabulary calls its marks, where nothing else does."""
    trainer = read.trainer_spec
    ids = {"bos_token": trainer.bos_id, "eos_token": trainer.eos_id, "unk_token": trainer.unk_id}
    return {name: read.pieces[i].piece for name, i in ids.items() if 0 <= i < len(read.pieces)}


def tokenizer_of(read: Vocabulary) -> Tokenizer:
    """The tokenizer that a vocabulary by itself describes: nothing is cut before, no marks are
    put around."""
    trainer, normalizer = read.trainer_spec, read.normalizer_spec
    unknown, bytes_too = read.pieces[trainer.unk_id].piece, trainer.byte_fallback
    if trainer.model_type == UNIGRAM:
        scores = [(one.piece, one.score) for one in read.pieces]
        words = Tokenizer(Unigram(scores, trainer.unk_id, byte_fallback=bytes_too))
    else:
        made = _extracted(read, BPE, {})
        ranks, merges = made["vocab"], made["merges"]
        words = Tokenizer(
            BPE(ranks, merges, unk_token=unknown, fuse_unk=True, byte_fallback=bytes_too)
        )
    steps: list[Any] = []
    if normalizer.precompiled_charsmap:
        steps.append(normalizers.Precompiled(normalizer.precompiled_charsmap))
    if normalizer.remove_extra_whitespaces:
        steps += [normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")]
    if normalizer.add_dummy_prefix:
        steps.append(normalizers.Prepend("▁"))
    words.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    return words


def _extracted(read: Vocabulary, model: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = SentencePieceExtractor.extract(
        SimpleNamespace(proto=read), model, **given
    )
    return found
