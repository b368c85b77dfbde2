"""An animation's folder: its pictures, and what is needed to go on with it later.

0001.png …        the pictures
animation.json    what was asked, the digest of every picture that is done, and their order
painted/0001.png  which pixels a frame painted itself (white)
per_frame/…       each frame by itself, where that was asked for comparison
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from .motion import Mask
from .sampling import Image8

_STATE = "animation.json"


class Folder:
    """A folder in which one animation is made. With another `digest` than the last one's it
    begins anew: pictures of the last one are removed."""

    def __init__(self, root: Path, digest: str) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        (root / "painted").mkdir(exist_ok=True)
        state = _read(root / _STATE)
        if state.get("digest") != digest:
            for name in (*state.get("done", ()), *state.get("masks", ())):
                (root / name).unlink(missing_ok=True)
            state = {"digest": digest, "done": {}, "masks": {}, "order": []}
        self._state = state

    @property
    def depth_range(self) -> tuple[float, float] | None:
        """Metres that are white and black in all its depth controls, once they are settled."""
        found = self._state.get("depth_range")
        return None if found is None else (float(found[0]), float(found[1]))

    @depth_range.setter
    def depth_range(self, limits: tuple[float, float]) -> None:
        self._state["depth_range"] = list(limits)

    @property
    def order(self) -> list[int]:
        """The frames that were painted, in that order."""
        return list(self._state["order"])

    def picture(self, name: str) -> Path:
        """Where the picture `name` ("0001", "per_frame/0001") is."""
        return self.root / f"{name}.png"

    def done(self, name: str) -> bytes | None:
        """A picture that is done, and as it was when it was."""
        return self._checked("done", f"{name}.png")

    def fresh(self, name: str) -> Mask | None:
        """Which pixels of a done picture it painted itself."""
        data = self._checked("masks", f"painted/{name}.png")
        return None if data is None else decoded(data)[..., 0] > 127

    def keep(self, name: str, data: bytes, fresh: Mask | None = None) -> None:
        """Write a picture; with it, if it is a frame's own, what `fresh` shall give."""
        if fresh is not None:
            shown = np.repeat(fresh[..., None] * np.uint8(255), 3, axis=2)
            self._write("masks", f"painted/{name}.png", encoded(shown))
            if int(name) not in self._state["order"]:
                self._state["order"].append(int(name))
        self._write("done", f"{name}.png", data)
        text = json.dumps(self._state, indent=1, sort_keys=True)
        _replace(self.root / _STATE, text.encode())

    def _write(self, kind: str, name: str, data: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        _replace(path, data)
        self._state[kind][name] = hashlib.sha256(data).hexdigest()

    def _checked(self, kind: str, name: str) -> bytes | None:
        path = self.root / name
        if name not in self._state[kind] or not path.is_file():
            return None
        data = path.read_bytes()
        return data if hashlib.sha256(data).hexdigest() == self._state[kind][name] else None


def encoded(picture: Image8) -> bytes:
    """A picture (h, w, 3) as PNG."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def decoded(data: bytes) -> Image8:
    """A picture (h, w, 3) of our own."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def _read(path: Path) -> dict[str, Any]:
    """What is written there; nothing where it is damaged, as what one cannot go on from."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        whole = isinstance(state, dict) and {"done", "masks", "order"} <= state.keys()
        return state if whole else {}
    except (OSError, ValueError):
        return {}


def _replace(path: Path, data: bytes) -> None:
    draft = path.with_suffix(".part")
    draft.write_bytes(data)
    os.replace(draft, path)
