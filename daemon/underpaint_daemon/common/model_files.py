"""A model's files: read, and whole. No torch."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from underpaint.errors import ErrorCode, RequestError

from . import single_files
from .contents.disguises import disguise_of
from .contents.headers import header
from .contents.unread import PLAIN_HINT

# Packages of quantisation that are not called like their method.
_PACKAGES: Mapping[str, str] = {"quanto": "optimum", "auto-round": "auto_round"}
_WHOLE_NUMBERS = ("I8", "U8", "I4", "U4")
TRIED = ("torchao", "bitsandbytes")
"""Methods of quantisation whose packages have been tried here."""
_FETCH_HINT = "Fetch the model again; what is there already is kept (underpaint models pull)."
_SHARDS = "*-[0-9]*-of-[0-9]*.safetensors"
_VARIANT = re.compile(r"[^.]+\.([^.-]+)(?:-\d+-of-\d+)?\.safetensors")


def check_network(folder: Path) -> None:
    """Raise RequestError(MODEL_BROKEN) unless a network's folder has a config and whole weights
    that can be read here."""
    config = read_json(folder / "config.json")
    method = _method_of(config)
    if method is not None and find_spec(_PACKAGES.get(method, method)) is None:
        broken(folder, f"is quantised by {method}, which is not installed here", _missing(method))
    _check_shards(folder)
    weights = weight_files(folder)
    if not weights:
        pickled = sorted(path.name for path in folder.glob("*.bin"))
        found = f"only pickled weights ({pickled[0]})" if pickled else "no weights"
        broken(folder, f"has {found}; safetensors weights are needed")
    for file in weights:
        for name, entry in header(file).items():
            whole = entry["dtype"] in _WHOLE_NUMBERS and name.endswith(".weight")
            if whole and method is None:
                broken(file, f"is quantised to whole numbers ({entry['dtype']})", PLAIN_HINT)


def check_schedule(file: Path) -> None:
    """Raise RequestError(MODEL_BROKEN) unless the samplers here have its noise levels."""
    name = str(read_json(file).get("_class_name"))
    if name.startswith("EDM"):
        problem = f"has the noise levels of EDM ({name}), which no sampler here has"
        broken(file, problem, single_files.EDM_HINT)


def quantised_by(folder: Path) -> str | None:
    """The method that a network's weights are quantised by, as its folder's config names it; None
    of plain ones. Raises RequestError(MODEL_BROKEN)."""
    return _method_of(read_json(folder / "config.json"))


def _missing(method: str) -> str:
    """What has been tried has a command, too, where one can be typed."""
    if method not in TRIED:
        return PLAIN_HINT
    return f"{PLAIN_HINT} (Or run: `{sys.executable} -m pip install {method}`.)"


def _method_of(config: Mapping[str, Any]) -> str | None:
    said = config.get("quantization_config")
    return str(said.get("quant_method")) if isinstance(said, dict) else None


def _check_shards(folder: Path) -> None:
    """Every file that an index of shards names is there, and the index where there are shards."""
    indices, shards = sorted(folder.glob("*.safetensors.index.json")), sorted(folder.glob(_SHARDS))
    if shards and not indices:
        broken(folder, f"has no index of its shards ({shards[0].name})", _FETCH_HINT)
    for index in indices:
        named = read_json(index).get("weight_map")
        if not isinstance(named, dict):
            broken(index, "names no weights")
        for name in sorted({str(file) for file in named.values()}):
            if not (folder / name).exists():
                broken(folder / name, f"is missing: {index.name} names it", _FETCH_HINT)


def weight_files(folder: Path) -> list[Path]:
    """A network's safetensors files, sorted; full-precision files before `.fp16.` variants."""
    found = sorted(folder.glob("*.safetensors"))
    return [path for path in found if ".fp16" not in path.name] or found


def variant_of(folder: Path) -> str | None:
    """Which variant a network's weights are, as diffusers names them (`NAME.fp16.safetensors`);
    None where there are plain ones. Of several fp16, else the first."""
    found = [_VARIANT.fullmatch(file.name) for file in folder.glob("*.safetensors")]
    names = sorted({match[1] for match in found if match is not None})
    if len(names) == 0 or None in found:
        return None
    return "fp16" if "fp16" in names else names[0]


def read_json(file: Path) -> dict[str, Any]:
    """A JSON object from a model's file. Raises RequestError(MODEL_BROKEN)."""
    try:
        data = json.loads(file.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        lies = file.is_symlink() or file.is_file()
        told = disguise_of(file, words=False) if lies else None
        if told is not None:
            broken(file, told.problem, told.hint)
        missing = isinstance(error, FileNotFoundError)
        broken(file, "is missing" if missing else f"cannot be read: {error}")
    if not isinstance(data, dict):
        broken(file, "is not a JSON object")
    return data


def broken(file: Path, problem: str, hint: str | None = None) -> NoReturn:
    """Raise RequestError(MODEL_BROKEN) that names the file."""
    raise RequestError(ErrorCode.MODEL_BROKEN, f"{file} {problem}", hint=hint)


def side_of(folder: Path, part: str) -> int | None:
    """Pixels a side that a model was made for, None where its config does not say it: the latent
    cells of its denoiser (`part`), times the VAE's factor; each level but the first halves the
    side. Raises RequestError(MODEL_BROKEN)."""
    cells = read_json(folder / part / "config.json").get("sample_size")
    if not isinstance(cells, int) or cells < 1:
        return None
    levels = read_json(folder / "vae" / "config.json").get("block_out_channels") or [0] * 4
    return int(cells * 2 ** (len(levels) - 1))


def fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of a folder's files, or of one file: changes when the model is
    changed on disk."""
    if folder.is_file():
        stat = folder.stat()
        return ((folder.name, stat.st_size, stat.st_mtime_ns),)
    return tuple(sorted(_marks(str(folder), "")))


def _marks(folder: str, before: str) -> Iterator[tuple[str, int, int]]:
    """Each job looks at its model so: by names alone, which take a third of the time of paths."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = before + entry.name
            with suppress(OSError):  # a link into a cache that was cleared, or to itself
                if entry.is_dir():
                    if not entry.is_symlink():
                        yield from _marks(entry.path, f"{name}/")
                    continue
                stat = entry.stat()
                yield (name, stat.st_size, stat.st_mtime_ns)


INDEX = "model_index.json"
