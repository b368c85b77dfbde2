"""The models a worker keeps loaded: the least recently used go first when memory is short."""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch

from underpaint.paths import Paths
from underpaint_daemon.common.model_files import fingerprint
from underpaint_daemon.common.models import marks_of, model_folder
from underpaint_daemon.common.needs import weights_of_parts
from underpaint_daemon.common.places import followed

from ..memory import Tier, release
from .components import LoadedModel
from .from_disk import load_model
from .networks import Device, best_device, networks_in, weight_bytes
from .plan import later, planned, room_for_weights

_Key = tuple[Path, tuple[tuple[str, int, int], ...]]
_FALLBACK_BYTES = 8 << 30
_OWN_MEMORY = ("cuda", "xpu")  # the others' memory is main memory
log = logging.getLogger("worker")


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
        self._waiting: set[Path] = set()
        self._away: set[_Key] = set()
        self._tools: OrderedDict[_Key, Any] = OrderedDict()
        self._weighed = WeakKeyDictionary[torch.nn.Module, int]()

    def load(self, name: str) -> LoadedModel:
        """The model of that name or path. Raises RequestError(MODEL_MISSING or MODEL_BROKEN)."""
        folder = followed(model_folder(self.paths, name))
        key = (folder, marks_of(self.paths, folder))
        if key in self._models:
            self._models.move_to_end(key)
            self._come_back(key)
        else:
            self._drop(*(old for old in self._models if old[0] == folder))
            self._models[key] = load_model(self.paths, name, self._planned(folder))
        self.trim()
        return self._models[key]

    def load_alone(self, name: str, *, waits: bool = False) -> LoadedModel:
        """`load`, after everything else was dropped. `waits`: from now on in main memory."""
        self.unload()
        if waits:
            self._waiting.add(followed(model_folder(self.paths, name)))
        return self.load(name)

    def let_go(self, room: int) -> None:
        """Leave the GPU to others. Models that are on it go into main memory, the last used first,
        as far as `room` bytes of it go, and come back when they are used; the others are dropped,
        as are tools."""
        before, beside = self.nbytes, self.place.device.type in _OWN_MEMORY
        for key in reversed(list(self._models)):
            model = self._models[key]
            if model.place.waits or key in self._away:
                continue
            size = self._weigh(model.networks) if beside else 0
            if size > room:
                self._drop(key)
                continue
            room -= size
            model.said = None
            _move(model.networks, torch.device("cpu"))
            self._away.add(key)
        self._tools.clear()
        release()
        left = self.waiting_bytes
        log.info("the GPU is left to others: %d MB taken off, %d MB wait", before >> 20, left >> 20)

    def _come_back(self, key: _Key) -> None:
        if key in self._away:
            self._away.remove(key)
            model = self._models[key]
            _move(model.networks, model.place.device)
            log.info("model %r is back on the GPU", model.info.name)

    def _planned(self, folder: Path) -> Device:
        place = replace(self.place, dtype=self._wider.get(folder, self.place.dtype))
        if folder in self._waiting:
            return replace(place, first=later(place.first, Tier.VISITING))
        room = room_for_weights(place, self.limit_bytes)
        if room is None:
            return place
        needed = weights_of_parts(self.paths, folder, place.dtype.itemsize)
        return planned(place, needed.values(), room)

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
        """Bytes of weights where networks work."""
        tools = [network for pipe in self._tools.values() for network in networks_in(pipe)]
        there = [model for key, model in self._models.items() if not self._waits(key)]
        return sum(self._weigh(model.networks) for model in there) + self._weigh(tools)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of weights that wait in main memory."""
        waiting = [model for key, model in self._models.items() if self._waits(key)]
        return sum(self._weigh(model.networks) for model in waiting)

    def _waits(self, key: _Key) -> bool:
        return self._models[key].place.waits or key in self._away

    def _weigh(self, networks: Sequence[torch.nn.Module]) -> int:
        """Bytes of weights. Each network is weighed once: a walk through all parameters of all
        models takes as long as steps of a small one, and is asked for several times a job."""
        for network in networks:
            if network not in self._weighed:
                self._weighed[network] = weight_bytes([network])
        return sum(self._weighed[network] for network in networks)

    @property
    def _crowded(self) -> bool:
        return self.nbytes > self.limit_bytes or self.waiting_bytes > half_of_memory()

    def __len__(self) -> int:
        return len(self._models)

    def trim(self) -> None:
        """Drop the least recently used models until the rest keep to the limit, then tools, then
        those networks from elsewhere that the one in use has not used for longest."""
        while len(self._models) > 1 and self._crowded:
            self._drop(next(iter(self._models)))
        while self._tools and self.nbytes > self.limit_bytes:
            self._tools.popitem(last=False)
        for model in self._models.values():
            while model.companions and self._crowded:
                model.companions.popitem(last=False)

    def unload(self) -> None:
        """Drop every model and give the memory back."""
        self._tools.clear()
        self._drop(*self._models)

    def _drop(self, *keys: _Key) -> None:
        for key in keys:
            del self._models[key]
            self._away.discard(key)
        if keys:
            release()


def _default_limit(place: Device) -> int:
    """70 % of the GPU's memory, or half of the machine's."""
    for kind, module in (("cuda", torch.cuda), ("xpu", torch.xpu)):
        if place.device.type == kind:
            return int(module.get_device_properties(place.device).total_memory * 0.7)
    return half_of_memory()


def _move(networks: Sequence[torch.nn.Module], device: torch.device) -> None:
    for network in networks:
        network.to(device)


def spare_memory() -> int:
    """Bytes of main memory that models may take now and leave the others enough."""
    import psutil

    return min(half_of_memory(), int(psutil.virtual_memory().available * 0.8))


def half_of_memory() -> int:
    """Bytes: half of the machine's memory."""
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return _FALLBACK_BYTES
