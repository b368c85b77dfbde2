"""A request's arrays on disk beside its results, so that it can be run again later."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..buffers import BufferRef, Buffers
from ..errors import ErrorCode, RequestError, why
from ..requests import Request
from ..tree import buffer_refs, request_digest
from .saving import whole

_NAME = "inputs-{}.npz"


def save_inputs(folder: Path, digest: str, buffers: Buffers) -> str | None:
    """Write the arrays as `inputs-<digest>.npz`, keyed by sha256; its path, None without arrays."""
    if not buffers:
        return None
    path = _file(folder, digest)
    draft = path.with_suffix(f".{os.getpid()}.part")  # another run may write the same at once
    with whole(draft), draft.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **dict(buffers))
    os.replace(draft, path)
    return str(path)


def load_inputs(
    folder: Path, request: Request, wanted: tuple[BufferRef, ...] | None = None
) -> Buffers:
    """The arrays that a request refers to, or those of them that are `wanted`, from the file that
    `save_inputs` wrote: the request's own, or another of the folder that has them all. A recipe
    is the request with all that was left open settled, so it has another digest.

    Raises RequestError(FILE) when there is none, or it is broken or holds other arrays.
    """
    buffers = Buffers()
    wanted = buffer_refs(request) if wanted is None else wanted
    if not wanted:
        return buffers
    path = _holding(folder, _file(folder, request_digest(request)), wanted)
    try:
        with np.load(path, allow_pickle=False) as stored:
            found = [buffers.add(ref.kind, stored[ref.sha256]) for ref in wanted]
    except (OSError, ValueError, KeyError) as error:
        raise RequestError(
            ErrorCode.FILE,
            f"the inputs of this result cannot be read from {path}: {why(error)}",
            hint="Keep the inputs file beside the result, or capture the view again.",
        ) from error
    if tuple(ref.sha256 for ref in found) != tuple(ref.sha256 for ref in wanted):
        raise RequestError(ErrorCode.FILE, f"{path} was changed: its arrays are not the recipe's")
    return buffers


def _holding(folder: Path, own: Path, wanted: tuple[BufferRef, ...]) -> Path:
    """The file of a folder that has arrays of these names; `own` where none has."""
    names = {ref.sha256 for ref in wanted}
    if own.exists():
        return own
    others = sorted(folder.glob(_NAME.format("*")))
    return next((path for path in others if names <= _names(path)), own)


def _names(path: Path) -> set[str]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return set(stored.files)
    except (OSError, ValueError):
        return set()


def _file(folder: Path, digest: str) -> Path:
    return folder / _NAME.format(digest[:12])
