"""The models a worker keeps loaded: the least recently used go first when memory is short."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from underpaint.paths import Paths
from underpaint_daemon.common.model_files import fingerprint
from underpaint_daemon.common.models import marks_of, model_folder
from underpaint_daemon.common.places import followed

from ..memory import release
from .components import LoadedModel, load_model
from .networks import Device, best_device, networks_in, weight_bytes

_Key = tuple[Path, tuple[tuple[str, int, int], ...]]
_FALLBACK_BYTES = 8 << 30


class ModelCache:
    """Loaded models, at most `limit_bytes` of weights in all (the one in use always stays).

    A model whose files changed on disk is loaded anew.
    """

    def __init__(
        self, paths: Paths, place: Device | None = None, limit_bytes: int | None = None
    ) -> None:
        self.paths = paths
        self.place = place or best_device()
        self.limit_bytes = _default_limit(self.place) if limit_bytes is None else limit_bytes
        self._models: OrderedDict[_Key, LoadedModel] = OrderedDict()
        self._wider: dict[Path, torch.dtype] = {}
        self._tools: OrderedDict[_Key, Any] = OrderedDict()

    def load(self, name: str) -> LoadedModel:
        """The model of that name or path. Raises RequestError(MODEL_MISSING or MODEL_BROKEN)."""
        folder = followed(model_folder(self.paths, name))
        key = (folder, marks_of(self.paths, folder))
        if key in self._models:
            self._models.move_to_end(key)
        else:
            self._drop(*(old for old in self._models if old[0] == folder))
            place = Device(self.place.device, self._wider.get(folder, self.place.dtype))
            self._models[key] = load_model(self.paths, name, place)
        self.trim()
        return self._models[key]

    def load_alone(self, name: str) -> LoadedModel:
        """`load`, after everything else was dropped."""
        self.unload()
        return self.load(name)

    def widen(self, name: str, dtype: torch.dtype) -> None:
        """Load a model in another type from now on: its numbers do not fit into this one."""
        folder = followed(model_folder(self.paths, name))
        self._wider[folder] = dtype
        self._drop(*[old for old in self._models if old[0] == folder])

    def tool(self, name: str, load: Callable[[], Any]) -> Any:
        """A pipeline that is no painter's (Marigold), by a model's name or path: loaded once, anew
        when its files change, dropped when memory is short. Raises what `load` raises."""
        folder = model_folder(self.paths, name).resolve()
        key = (folder, fingerprint(folder))
        if key not in self._tools:
            for old in [old for old in self._tools if old[0] == folder]:
                del self._tools[old]
            self._tools[key] = load()
        self._tools.move_to_end(key)
        return self._tools[key]

    @property
    def nbytes(self) -> int:
        """Bytes of weights in memory."""
        tools = [network for pipe in self._tools.values() for network in networks_in(pipe)]
        return sum(model.nbytes for model in self._models.values()) + weight_bytes(tools)

    def __len__(self) -> int:
        return len(self._models)

    def trim(self) -> None:
        """Drop the least recently used models until the rest keep to the limit, then tools, then
        those networks from elsewhere that the one in use has not used for longest."""
        while len(self._models) > 1 and self.nbytes > self.limit_bytes:
            self._drop(next(iter(self._models)))
        while self._tools and self.nbytes > self.limit_bytes:
            self._tools.popitem(last=False)
        for model in self._models.values():
            while model.companions and self.nbytes > self.limit_bytes:
                model.companions.popitem(last=False)

    def unload(self) -> None:
        """Drop every model and give the memory back."""
        self._tools.clear()
        self._drop(*self._models)

    def _drop(self, *keys: _Key) -> None:
        for key in keys:
            del self._models[key]
        if keys:
            release()


def _default_limit(place: Device) -> int:
    """70 % of the GPU's memory, or half of the machine's."""
    if place.device.type == "cuda":
        return int(torch.cuda.get_device_properties(place.device).total_memory * 0.7)
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return _FALLBACK_BYTES
