"""The parts around a transformer as ComfyUI and Forge keep them: text encoders and VAEs, a file
each, in folders `text_encoders` (`clip`, `text_encoder`) and `vae` (`VAE`), or within the
transformer's own file; tokenizers in the program itself, or of any model that is known here.

What a file is follows from its tensors' names and widths, whatever it is called.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from underpaint.errors import RequestError

from ..contents.headers import Marks, header, marks_of_file
from ..model_files import INDEX, read_json
from ..places import SUFFIXES
from ..single_files import config_folder
from .files import Denoiser
from .kinds import (
    EYES,
    OWN_WORDS,
    TEXTS,
    VAES,
    Kind,
    Words,
    marks_of,
    parts_of,
    sees,
    told_of,
    width_for,
)
from .packed_names import OF_MISTRAL, named_as_released

Shapes = Mapping[str, tuple[int, ...]]
_MODELS = ("diffusion_models", "unet", "checkpoints", "stable-diffusion")
_DEPTH = 2
_GATE, _GIVEN = "visual.blocks.0.mlp.gate_proj.weight", "visual.merger.mlp.2.weight"
_WORDS, _PACKED = "model.embed_tokens.weight", "token_embd"
_PACKING = re.compile(r"[-_.]?(?:ud-)?i?q[0-9]_[a-z0-9_-]{1,8}$", re.IGNORECASE)  # of a GGUF's name


@dataclass(frozen=True, slots=True)
class Loose:
    """A part in a file. `names`: of its tensors in the file, by those that it was released with.
    `shapes`: by these, too. `eyes`: the part of it that sees, where that is a file by itself."""

    path: Path
    names: Mapping[str, str]
    shapes: Shapes
    eyes: Loose | None = None

    @property
    def of_llama(self) -> bool:
        """Whether llama.cpp packed it: under its names, with the tokens beside the weights."""
        return self.names.get(_WORDS, "").startswith(_PACKED)

    @property
    def in_pairs(self) -> bool:
        """Whether rows of queries and keys that are turned together stand side by side, as
        llama.cpp and Mistral lay them out."""
        return self.of_llama or OF_MISTRAL in self.names.values()

    @property
    def files(self) -> list[Loose]:
        """One by one."""
        return [self] if self.eyes is None else [self, self.eyes]


def loose_parts(
    found: Denoiser, roots: Iterable[Path], folders: Iterable[Path]
) -> tuple[dict[str, Loose], dict[str, Path], list[str]]:
    """What lies in files, by part; the folders of tokenizers, by part; what is missing, in words.

    `roots`: folders like ComfyUI's `models`. `folders`: of models in diffusers' format.
    """
    wanted, near = parts_of(found), _roots(found, roots)
    files = [*_baked(found, wanted.values()), *_files(near)]
    held, known = dict[str, Loose](), list(folders)
    tokenizers, missing = dict[str, Path](), list[str]()
    for part, one in wanted.items():
        if isinstance(one, Words):
            readers = (file for file in files if _reads_for(file, wanted.values(), found))
            place = _tokenizer(one, near, known, _first(readers, held.values()))
            if place is not None:
                tokenizers[part] = place
        else:
            able = (_seeing(file, files) for file in files) if one.sees and sees(found) else files
            file = next((file for file in able if _is(one, file, found)), None)
            if file is not None:
                held[part] = _read_of(file, one)
        if part not in held and part not in tokenizers:
            missing.append(told_of(one, found))
    return held, tokenizers, missing


def _first(files: Iterable[Loose], held: Iterable[Loose]) -> list[Loose]:
    """All files, first those in which a part was found."""
    paths = {one.path for one in held}
    return sorted(files, key=lambda one: one.path not in paths)


def _reads_for(file: Loose, wanted: Iterable[Kind | Words], found: Denoiser) -> bool:
    """Whether a file is a text encoder that the transformer can have: another's tokenizer, though
    it lies beside, is not the transformer's."""
    return any(isinstance(one, Kind) and one.width and _is(one, file, found) for one in wanted)


def _read_of(file: Loose, kind: Kind) -> Loose:
    """Without what nobody asks for."""
    if not kind.unread:
        return file
    names = {new: old for new, old in file.names.items() if not re.match(kind.unread, new)}
    return replace(file, names=names, shapes={name: file.shapes[name] for name in names})


def holds_parts(found: Denoiser) -> bool:
    """Whether the transformer's own file has other parts in it, too: a whole checkpoint."""
    return any(_baked(found, parts_of(found).values()))


def index_of_parts(found: Denoiser) -> dict[str, list[str]]:
    """The parts as a `model_index.json` names them."""
    return {
        part: ["transformers" if isinstance(one, Words) else one.library, one.network]
        for part, one in parts_of(found).items()
    }


def _roots(found: Denoiser, others: Iterable[Path]) -> list[Path]:
    """The folder of models that the file lies in, before the others."""
    own = [above.parent for above in found.path.parents if above.name.lower() in _MODELS]
    return list(dict.fromkeys([*own[:1], found.path.parent, *others]))


def _files(roots: Iterable[Path]) -> Iterator[Loose]:
    seen = set[Path]()
    for root in roots:
        for folder in (*TEXTS, *VAES):
            for path in _below(root / folder, _DEPTH):
                if path not in seen:
                    seen.add(path)
                    with contextlib.suppress(OSError, RequestError):  # damaged: none of the parts
                        yield _loose(marks_of_file(path))


def _below(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # none, or of another user
        return
    for path in entries:
        if path.suffix in SUFFIXES and path.is_file():
            yield path
        elif depth > 0 and path.is_dir():
            yield from _below(path, depth - 1)


@functools.lru_cache(64)
def _loose(marks: Marks) -> Loose:
    path = Path(marks[0])
    return _part(path, "", header(path))


def _part(path: Path, prefix: str, tensors: Mapping[str, Any]) -> Loose:
    names = {name.removeprefix(prefix): name for name in tensors if name.startswith(prefix)}
    made = {new: names[old] for new, old in named_as_released(names).items()}
    return Loose(path, made, {new: tuple(tensors[true]["shape"]) for new, true in made.items()})


def _baked(found: Denoiser, wanted: Iterable[Kind | Words]) -> Iterator[Loose]:
    """Parts within the transformer's own file."""
    tensors = header(found.path)
    prefixes = {p for one in wanted if isinstance(one, Kind) for p in one.baked}
    for prefix in sorted(prefixes):
        if any(name.startswith(prefix) for name in tensors):
            yield _part(found.path, prefix, tensors)


def _is(kind: Kind, file: Loose, found: Denoiser) -> bool:
    if any(mark not in file.shapes for mark in marks_of(kind, found)):
        return False
    if any(lack in file.shapes for lack in kind.lacks):
        return False
    if not re.search(kind.called, file.path.stem.lower()):
        return False
    if not kind.width:
        return _latents(file, found)
    return kind.width in file.shapes and file.shapes[kind.width][-1] == width_for(kind, found)


def _seeing(file: Loose, files: Iterable[Loose]) -> Loose:
    """A text encoder, with the eyes (mmproj) of its width that lie beside it, if it has none: those
    that are called after it before all others, in its own folder before those elsewhere."""
    if EYES in file.shapes or _WORDS not in file.shapes:
        return file
    wide = file.shapes[_WORDS][-1]
    fits = [
        one
        for one in files
        if _WORDS not in one.shapes
        and {EYES, _GATE} <= one.shapes.keys()
        and one.shapes.get(_GIVEN, ())[:1] == (wide,)
    ]
    eyes = min(fits, key=lambda one: _distance(file.path, one.path), default=None)
    return file if eyes is None else replace(file, eyes=eyes, shapes={**eyes.shapes, **file.shapes})


def _distance(file: Path, eyes: Path) -> tuple[bool, bool]:
    called = _plain(_PACKING.sub("", file.stem)) in _plain(eyes.stem)
    return not called, eyes.parent != file.parent


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _latents(file: Loose, found: Denoiser) -> bool:
    """Whether a VAE's latents are those that the transformer paints: it sees 2×2 of them."""
    name = "decoder.conv_in.weight"
    shape = file.shapes[name] if name in file.shapes else file.shapes["decoder.conv1.weight"]
    # Fill and the control models see more beside them.
    seen = int(found.config.get("out_channels") or found.config["in_channels"])
    return shape[1] in (seen, seen // 4)


def _tokenizer(
    words: Words, roots: Iterable[Path], folders: Iterable[Path], files: Iterable[Loose]
) -> Path | None:
    """CLIP's comes with the daemon; Mistral's within the file of its encoder, mostly, or beside it;
    others lie in the program beside, or in some model."""
    if words in OWN_WORDS:
        return config_folder(OWN_WORDS[words])
    if words.inside:
        inside = next(_with_words(words.inside, files), None)
        if inside is not None:
            return inside
    for root in roots:
        for place in words.places:
            if (root / place).is_dir():
                return (root / place).resolve()
    told = next(_in_models(words, folders), None)
    if told is None and words.inside:
        return next((one.path for one in files if one.of_llama), None)
    return told


def _with_words(name: str, files: Iterable[Loose]) -> Iterator[Path]:
    """Files of encoders with a tokenizer in them, or one of Mistral's beside them."""
    for file in files:
        if name in file.shapes:
            yield file.path
        elif (beside := file.path.with_name("tekken.json")).is_file():
            yield beside


def _in_models(words: Words, folders: Iterable[Path]) -> Iterator[Path]:
    """Tokenizers of a class in models' folders, under its old name for the fast one, too."""
    names = (words.network, f"{words.network}Fast")
    for folder in folders:
        try:
            index = read_json(folder / INDEX)
        except RequestError:
            continue
        for part, entry in index.items():
            if isinstance(entry, list) and entry[-1] in names and (folder / part).is_dir():
                yield folder / part
