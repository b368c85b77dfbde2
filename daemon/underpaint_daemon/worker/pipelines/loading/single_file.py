"""Single-file checkpoints become folders in the diffusers format, once, in the cache folder."""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
import tempfile
from pathlib import Path

import diffusers
import torch
from safetensors import SafetensorError

from underpaint_daemon.common import disk
from underpaint_daemon.common.models import INDEX, broken, fingerprint
from underpaint_daemon.common.single_files import config_folder, family_of, is_half

from ..families import FAMILIES, Task

_MARKS = "unpacked_from.txt"
_LOAD_ERRORS = (ValueError, RuntimeError, LookupError, TypeError, SafetensorError)


def unpacked(place: Path, cache: Path) -> Path:
    """The folder of a model: `place` itself, or what a single file was converted to.

    The conversion takes as much room on the disk again. The networks' shapes come from a folder
    of configurations beside the file that is named like it, where there is one, else from what
    ships with the daemon. Raises RequestError: MODEL_BROKEN, DISK_FULL, FILE.
    """
    if place.is_dir():
        return place
    family = family_of(place)
    beside = place.with_suffix("")
    configs = beside if (beside / INDEX).is_file() else config_folder(family)
    marks = f"{place}\n{fingerprint(place)}\n{configs}\n{fingerprint(configs)}\n"
    folder = cache / "unpacked" / hashlib.sha256(str(place).encode()).hexdigest()[:16]
    if _is_from(folder, marks):
        return folder
    try:
        _make(place, family, configs, folder, marks)
    except OSError as error:
        raise disk.as_error(error, f"{place} cannot be unpacked into {folder}") from error
    return folder


def complete_tokenizer(folder: Path) -> None:
    """CLIP's vocabulary, unless the folder has one: 256 bytes, the same at a word's end, a token
    for each merge, and two marks (source: Radford et al. 2021, the released tokenizer)."""
    if any((folder / name).is_file() for name in ("vocab.json", "tokenizer.json")):
        return
    packed = config_folder("clip_merges.txt.xz").read_bytes()
    merges = lzma.decompress(packed).decode("utf-8")
    letters = _byte_letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    tokens += ["".join(line.split()) for line in merges.splitlines()]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}", "utf-8")


def _is_from(folder: Path, marks: str) -> bool:
    file = folder / _MARKS
    return file.is_file() and file.read_text("utf-8") == marks


def _make(file: Path, family: str, configs: Path, folder: Path, marks: str) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=folder.parent) as name:
        part = Path(name)
        shutil.copytree(configs, part / "configs")
        for tokenizer in (part / "configs").glob("tokenizer*"):
            complete_tokenizer(tokenizer)
        _convert(file, family, part / "configs", part / "model")
        (part / "model" / _MARKS).write_text(marks, "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        (part / "model").rename(folder)


def _convert(file: Path, family: str, configs: Path, out: Path) -> None:
    pipeline = getattr(diffusers, FAMILIES[family].pipelines[Task.TEXT, False])
    try:
        pipeline.from_single_file(
            str(file),
            config=str(configs),
            local_files_only=True,
            torch_dtype=torch.float16 if is_half(file) else torch.float32,
        ).save_pretrained(out, safe_serialization=True)
    except _LOAD_ERRORS as error:
        broken(file, f"cannot be converted: {str(error).strip().splitlines()[0]}")


def _byte_letters() -> list[str]:
    """A printable letter for each byte, in the order of their tokens: first those that are
    printable, then the others from U+0100 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)]
    printable += range(ord("®"), ord("ÿ") + 1)
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]
