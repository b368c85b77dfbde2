"""Textual inversions (Gal et al. 2022): vectors of words that a prompt names.

Read as they are published: A1111's `.pt` (`string_to_param`) and `.safetensors` (`emb_params`),
diffusers' `learned_embeds` (the token's name), and SDXL's with a tensor for each of its two text
encoders (`clip_l` and `clip_g`, or `text_encoders_0` and `_1`). Pickled files are read by torch's
loader that makes nothing but tensors and plain data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import ParameterDict

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.common.contents.headers import header
from underpaint_daemon.common.embedding_files import Mention, mentions

NAMED = "named_vectors"
"""The key among a model's parts."""
Split = Callable[[str], Sequence["str | Tensor"]]
_FAMILY_OF_WIDTH = {768: "SD 1.5", 1024: "SD 2", 1280: "half of SDXL"}
_OF_ENCODERS = (("clip_l", "clip_g"), ("text_encoders_0", "text_encoders_1"))
# Of torch's own loader, which runs no code.
_DAMAGED = torch.serialization.pickle.UnpicklingError  # type: ignore[attr-defined]
_ERRORS = (
    OSError, ValueError, RuntimeError, LookupError, TypeError, EOFError, SafetensorError, _DAMAGED,
)  # fmt: skip
_CODE = "it holds more than tensors, which could run code"
_HINT = "Leave its name out of the prompt, or take a model of that kind."


@dataclass(slots=True)
class Named:
    """A model's embeddings. `files`: by name in small letters, looked for anew each time.
    `widths`: of the words that each of its text encoders reads."""

    files: Callable[[], Mapping[str, Path]]
    widths: tuple[int, ...]
    _read: dict[tuple[Path, int], tuple[Tensor, ...]] = field(default_factory=dict)

    def split(self, encoder: int) -> Split:
        """Cuts a text into words and the vectors (n, width) for an encoder that stand in it."""
        files = self.files()

        def cut(text: str) -> list[str | Tensor]:
            found, at = list[str | Tensor](), 0
            for mention in mentions(text, files):
                vectors = self._fitting(files, mention)
                if vectors is not None:
                    found += [text[at : mention.start], vectors[encoder]]
                    at = mention.end
            return [*found, text[at:]]

        return cut

    def used(self, texts: Sequence[str]) -> dict[str, Path]:
        """The files that texts name, by name."""
        files = self.files()
        every = [mention for text in texts for mention in mentions(text, files)]
        return {m.name: files[m.name] for m in every if self._fitting(files, m) is not None}

    def notes(self, texts: Sequence[str]) -> list[str]:
        """What to tell of bare words that are names of embeddings for other models."""
        files = self.files()
        every = {m.name: m for text in texts for m in mentions(text, files)}
        return [
            f"{name!r} is painted as a word: the embedding of that name "
            f"{_made_for(self._vectors(files[name]))}"
            for name, mention in every.items()
            if self._fitting(files, mention) is None
        ]

    def _fitting(self, files: Mapping[str, Path], mention: Mention) -> tuple[Tensor, ...] | None:
        """Vectors for each encoder; None of a bare word whose file is for other models.

        Raises RequestError(BAD_REQUEST) for one that can mean nothing else.
        """
        vectors = self._vectors(files[mention.name])
        if tuple(one.shape[1] for one in vectors) == self.widths:
            return vectors
        if not mention.named:
            return None
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"The embedding {mention.name!r} {_made_for(vectors)}, not for this model",
            hint=_HINT,
        )

    def _vectors(self, file: Path) -> tuple[Tensor, ...]:
        key = (file, file.stat().st_mtime_ns)
        if key not in self._read:
            self._read[key] = read_vectors(file)
        return self._read[key]


def split_of(parts: Mapping[str, Any], encoder: int) -> Split | None:
    """How a model's prompts are cut for one of its encoders."""
    named: Named | None = parts.get(NAMED)
    return None if named is None else named.split(encoder)


def read_vectors(file: Path) -> tuple[Tensor, ...]:
    """A file's vectors (n, width) float32, one tensor for each text encoder.

    Raises RequestError(MODEL_BROKEN) that names the file.
    """
    try:
        return _vectors_in(_loaded(file))
    except _ERRORS as error:
        told = (str(error).strip() or type(error).__name__).splitlines()[0]
        if isinstance(error, _DAMAGED):  # what torch says of it names ways to run its code
            told = _CODE if "GLOBAL" in str(error) else "it is damaged"
        raise RequestError(
            ErrorCode.MODEL_BROKEN,
            f"{file} cannot be read as a textual inversion: {told}",
            hint="Fetch it again, or take it out of the folder.",
        ) from error


def _loaded(file: Path) -> Mapping[str, Any]:
    if file.suffix.lower() == ".safetensors":
        header(file)  # says what is wrong
        tensors: Mapping[str, Any] = load_file(file)
        return tensors
    with torch.serialization.safe_globals([ParameterDict]):  # of the first trainers
        found: Any = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(found, Mapping):
        raise ValueError("it holds no table of tensors")
    table: Mapping[str, Any] = found
    return table


def _vectors_in(found: Mapping[str, Any]) -> tuple[Tensor, ...]:
    for names in _OF_ENCODERS:
        if all(name in found for name in names):
            return tuple(_rows(found[name]) for name in names)
    inner = found.get("string_to_param", found)
    if isinstance(inner, ParameterDict):
        inner = inner._parameters
    tensors = [one for one in inner.values() if isinstance(one, Tensor)]
    if len(tensors) != 1:
        raise ValueError(f"it holds {len(tensors)} tensors where one is expected")
    return (_rows(tensors[0]),)


def _rows(tensor: Tensor) -> Tensor:
    rows = tensor.detach().float()
    rows = rows[None] if rows.ndim == 1 else rows
    if rows.ndim != 2:
        raise ValueError(f"its tensor has shape {tuple(rows.shape)}")
    return rows


def _made_for(vectors: Sequence[Tensor]) -> str:
    if len(vectors) > 1:
        return "was made for SDXL"
    width = int(vectors[0].shape[1])
    return f"was made for {_FAMILY_OF_WIDTH.get(width, f'words {width} wide')}"
