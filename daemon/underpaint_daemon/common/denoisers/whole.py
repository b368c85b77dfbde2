"""What is put around a transformer or a UNet from a file: the other parts of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from underpaint.paths import Paths

from ..contents.headers import header
from ..model_files import fingerprint
from ..places import extra_models
from ..single_files import UNET_PREFIX, Checkpoint
from .loose import Loose


@dataclass(frozen=True, slots=True)
class Rest:
    """The other parts of a model. `family`: the model's. `config`: its denoiser's. `index`: as
    a `model_index.json` of it. `scheduler`: its noise schedule. `places`: the folder of each part
    but the denoiser and the scheduler, or its file; of those `loose` says more. `base`: the folder
    that they all lie in, where there is one. `checkpoint`: the single file that they lie in, where
    it is one."""

    family: str
    config: Mapping[str, Any]
    index: Mapping[str, Any]
    scheduler: Mapping[str, Any]
    places: Mapping[str, Path]
    loose: Mapping[str, Loose] = field(default_factory=dict)
    base: Path | None = None
    checkpoint: Checkpoint | None = None

    @property
    def marks(self) -> tuple[tuple[str, int, int], ...]:
        """Changes when one of the parts is another, or is changed on disk."""
        return tuple(
            (f"{place}/{name}", size, time)
            for place in self.files.values()
            for name, size, time in fingerprint(place)
        )

    @property
    def files(self) -> Mapping[str, Path]:
        """The places, and those of what a part has in a second file."""
        seconds = {name: part.eyes for name, part in self.loose.items()}
        eyes = {f"{name}.eyes": one.path for name, one in seconds.items() if one is not None}
        return {**self.places, **eyes}

    def bytes_beside(self, file: Path) -> int:
        """Bytes on disk of what is read from elsewhere than `file`."""
        places = {place for place in self.files.values() if place != file}
        if self.checkpoint is None:
            return sum(map(_bytes, places))
        others = places - {self.checkpoint.path}
        inside = header(self.checkpoint.path).items()
        spans = (e["data_offsets"] for name, e in inside if not name.startswith(UNET_PREFIX))
        return sum(map(_bytes, others)) + sum(int(end) - int(begin) for begin, end in spans)


def named_places(paths: Paths, file: Path, told: str) -> Iterator[Path]:
    """What may be meant by a base's path, its name beside a file, or a model's name."""
    yield from (Path(told).expanduser(), file.parent / told, paths.models / told)
    yield from (path for name, path in extra_models(paths) if name == told)


def _bytes(place: Path) -> int:
    return sum(size for _, size, _ in fingerprint(place))
