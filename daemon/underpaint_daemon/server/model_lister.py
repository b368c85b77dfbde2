"""Lists the models in a thread of its own: their folders may lie on a disk that does not answer,
and nobody but who asked for the list shall wait for it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from underpaint.errors import RequestError
from underpaint.paths import Paths
from underpaint.wire.messages import Body, ModelInfo, Models

from ..common.abilities import told_abilities
from ..common.defaults.model_defaults import Defaults, model_defaults
from ..common.models import list_models
from .boundary import guarded
from .thread_messages import Route

_NAME = "models"


class ModelLister:
    """`answer` is called in the lister's thread, with each route that asked and its answer."""

    def __init__(self, paths: Paths, answer: Callable[[Route, Body], None]) -> None:
        self._paths = paths
        self._answer = answer
        self._asked: queue.SimpleQueue[Route] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin to answer. The thread never holds up the end of the process."""
        threading.Thread(target=self._run, name=f"underpaint-{_NAME}", daemon=True).start()

    def ask(self, route: Route) -> None:
        self._asked.put(route)

    def _run(self) -> None:
        while True:
            guarded(_NAME, partial(self._list, self._asked.get()))

    def _list(self, route: Route) -> None:
        found = tuple(_model_info(self._paths, model) for model in list_models(self._paths))
        self._answer(route, Models(found))


def _model_info(paths: Paths, model: Mapping[str, Any]) -> ModelInfo:
    name, problem = str(model["name"]), str(model.get("problem", ""))
    known: Defaults | None = None
    try:
        known = None if problem else model_defaults(paths, str(model["path"]))
    except RequestError as error:
        problem = error.message
    return ModelInfo(
        name=name,
        family=str(model["family"]),
        title=Path(name).name if Path(name).is_absolute() else name,
        controls=() if known is None else tuple(known.control_kinds),
        loras=tuple(model["loras"]),
        native_size=int(model["native_size"]),
        licence=str(model["licence"]),
        ready=not problem,
        note=problem,
        samplers=() if known is None else tuple(known.samplers),
        defaults={} if known is None else known.to_plain(),
        size_mb=round(model["size_mb"]),
        abilities=None if known is None else told_abilities(known.family, looks=known.looks),
        file=str(model["path"]) if Path(str(model["path"])).is_file() else None,
    )
