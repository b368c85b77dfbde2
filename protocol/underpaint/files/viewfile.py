"""View files: a captured view in one `.npz`, to carry it from Blender to a command line.

The file holds the View's JSON (as it stands in a request) as UTF-8 bytes under `view`, and its
arrays under their sha256; under `objects`, also as JSON, what the scene calls the objects of its
`object_id`, what they are to look like by their own prompts and LoRAs, and which are to be left
alone; under `sights` what else can be followed of it: people by their bones, and annotations.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..buffers import Array, Buffers
from ..errors import ErrorCode, RequestError, why
from ..following.sights import Sights, from_plain, to_plain
from ..requests import Lora, View
from ..tree import buffer_refs, part_from_plain, part_to_plain, view_from_plain, view_to_plain
from .refusal import check_file

_VIEW, _OBJECTS, _SIGHTS = "view", "objects", "sights"
_DAMAGED = (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class SceneObject:
    """An object that a view shows: its name, its own prompt and LoRAs, empty where it has none, and
    whether it is `left` alone."""

    name: str
    prompt: str = ""
    loras: tuple[Lora, ...] = ()
    left: bool = False


def save_view(
    path: Path,
    view: View,
    buffers: Mapping[str, Array],
    objects: Mapping[int, SceneObject] | None = None,
    sights: Sights | None = None,
) -> None:
    """Write a view and the arrays it refers to; `objects`: those of its ids that are known.
    `sights`: what else it shows.

    Raises RequestError(FILE).
    """
    named = {str(number): _told(one) for number, one in (objects or {}).items()}
    seen = to_plain(Sights() if sights is None else sights)
    text = json.dumps(view_to_plain(view), sort_keys=True, allow_nan=False)
    arrays = {ref.sha256: buffers[ref.sha256] for ref in buffer_refs(view)}
    try:
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                allow_pickle=False,
                **{_VIEW: _bytes(text), _OBJECTS: _bytes(json.dumps(named)), **arrays},
                **{_SIGHTS: _bytes(json.dumps(seen))},
            )
    except OSError as error:
        raise RequestError(ErrorCode.FILE, f"cannot write {path}: {why(error)}") from error


def load_view(path: Path, buffers: Buffers) -> View:
    """The view of a file that `save_view` wrote; its arrays are added to `buffers`.

    Raises RequestError: FILE when the file is missing, broken, or its arrays are not the view's;
    BAD_REQUEST or BAD_BUFFER when its content is not a view.
    """
    try:
        check_file(path)
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):  # numpy would speak of pickles
                raise ValueError("it is no .npz")
        with np.load(path, allow_pickle=False) as stored:
            view = view_from_plain(json.loads(stored[_VIEW].tobytes()))
            _add_all(view, stored, buffers, path)
    except _DAMAGED as error:
        raise _no_view(path, error) from error
    return view


def load_objects(path: Path) -> dict[int, SceneObject]:
    """The objects of a view file by their ids. Raises RequestError(FILE)."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            if _OBJECTS not in stored:
                return {}
            named = json.loads(stored[_OBJECTS].tobytes())
            return {int(number): _object(one) for number, one in named.items()}
    except _DAMAGED as error:
        raise _no_view(path, error) from error


def _told(one: SceneObject) -> dict[str, Any]:
    """Only what it has: a reader from before LoRAs or locks knows no other key."""
    loras = [part_to_plain(lora) for lora in one.loras]
    more = {"loras": loras, "left": one.left}
    return {
        "name": one.name,
        "prompt": one.prompt,
        **{key: value for key, value in more.items() if value},
    }


def _object(told: Mapping[str, Any]) -> SceneObject:
    loras = [part_from_plain(Lora, one, "objects.loras") for one in told.get("loras", ())]
    left = bool(told.get("left", False))
    return SceneObject(told["name"], told.get("prompt", ""), tuple(loras), left)


def load_sights(path: Path) -> Sights:
    """What else a view file's view shows. Raises RequestError(FILE)."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            told = stored[_SIGHTS].tobytes() if _SIGHTS in stored else None
            return Sights() if told is None else from_plain(json.loads(told))
    except _DAMAGED as error:
        raise _no_view(path, error) from error


def _no_view(path: Path, error: Exception) -> RequestError:
    if isinstance(error, FileNotFoundError):
        return RequestError(
            ErrorCode.FILE,
            f"there is no view file {path}",
            hint="Look at its spelling and folder, or capture a view.",
        )
    return RequestError(
        ErrorCode.FILE,
        f"{path} is not a view file: {why(error)}",
        hint="Capture it again, in Blender or from the command line.",
    )


def _bytes(text: str) -> Array:
    return np.frombuffer(text.encode(), np.uint8)


def _add_all(view: View, stored: Mapping[str, Any], buffers: Buffers, path: Path) -> None:
    for ref in buffer_refs(view):
        if buffers.add(ref.kind, stored[ref.sha256]) != ref:
            raise RequestError(ErrorCode.FILE, f"{path} was changed: its {ref.kind} is another")
