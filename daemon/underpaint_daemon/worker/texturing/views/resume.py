"""A job's unfinished state in a file, so that a later run of the same request goes on from there.

Written after every step: what each finished denoising made, and of the one under way the latents
and the samplers' state. Noise is drawn from the seed and the step's number, so there is no other
random state, and the continued run gives the same bits as an uninterrupted one. The file is found
by what the result depends on (request, model, versions), not by the job: it serves a job that is
run again after its worker died, and a new job with the request of a cancelled one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from underpaint_daemon.common import disk
from underpaint_daemon.common.caches import JOURNALS

log = logging.getLogger("texturing")
_MOST_FILES = 8
_OLDEST_SECONDS = 7 * 24 * 3600.0
_PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True, slots=True)
class Standing:
    """A denoising under way: steps done, the views' latents, the samplers' changed attributes."""

    step: int
    latents: list[Tensor]
    samplers: list[dict[str, Any]]


@dataclass(slots=True)
class Journal:
    """What one job has done so far. file None: nothing is kept."""

    file: Path | None = None
    _finished: dict[int, list[Tensor]] = field(default_factory=dict)
    _standing: tuple[int, Standing] | None = None
    _begun: int = 0

    @classmethod
    def open(cls, cache: Path, facts: Mapping[str, Any]) -> Journal:
        """The journal of a job whose result depends on `facts` (JSON-like) and nothing else."""
        text = json.dumps(facts, sort_keys=True)
        mark = hashlib.sha256(text.encode()).hexdigest()[:32]
        journal = cls(cache / JOURNALS / f"{mark}.safetensors")
        _tidy(cache / JOURNALS)
        journal._read()
        return journal

    def begin_pass(self) -> int:
        """The number of the denoising that begins now; a job's denoisings come in one order."""
        self._begun += 1
        return self._begun - 1

    def finished(self, number: int) -> list[Tensor] | None:
        """What a denoising made, (1, C, h, w) a view, if it was finished."""
        return self._finished.get(number)

    def standing(self, number: int) -> Standing | None:
        """Where a denoising stood, if it had begun."""
        known = self._standing
        return known[1] if known is not None and known[0] == number else None

    def step(
        self, number: int, step: int, latents: Sequence[Tensor], samplers: Sequence[Any], fresh: Any
    ) -> None:
        """Note that a denoising has done so many steps. fresh: a sampler before its first step."""
        states = [changed_state(sampler, fresh) for sampler in samplers]
        self._standing = (number, Standing(step, list(latents), states))
        self._write()

    def finish(self, number: int, latents: Sequence[Tensor]) -> None:
        """Note what a denoising made."""
        self._finished[number] = list(latents)
        self._standing = None
        self._write()

    def close(self) -> None:
        """The job has its result: nothing is left to go on from."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)

    def _write(self) -> None:
        if self.file is None:
            return
        tensors = dict[str, Tensor]()
        plan = {
            "finished": {str(n): _packed(made, tensors) for n, made in self._finished.items()},
            "standing": None,
        }
        if self._standing is not None:
            number, at = self._standing
            plan["standing"] = {
                "number": number,
                "step": at.step,
                "latents": _packed(at.latents, tensors),
                "samplers": _packed(at.samplers, tensors),
            }
        try:
            disk.write_whole(self.file, save(tensors, {"plan": json.dumps(plan)}))
        except OSError as error:
            # The job itself needs no file: it could only not be continued.
            log.warning("unfinished work cannot be kept: %s", error)

    def _read(self) -> None:
        if self.file is None or not self.file.is_file():
            return
        try:
            with safe_open(self.file, "pt") as stored:
                plan = json.loads(stored.metadata()["plan"])
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError) as error:
            log.warning("unfinished work cannot be read, beginning anew: %s", error)
            return
        self._finished = {int(n): _unpacked(t, tensors) for n, t in plan["finished"].items()}
        if (at := plan["standing"]) is not None:
            latents, samplers = (_unpacked(at[key], tensors) for key in ("latents", "samplers"))
            self._standing = (at["number"], Standing(at["step"], latents, samplers))


def changed_state(sampler: Any, fresh: Any) -> dict[str, Any]:
    """The attributes of a sampler that its steps have changed."""
    before = vars(fresh)
    return {
        name: value
        for name, value in vars(sampler).items()
        if name not in before or not _same(value, before[name])
    }


def put_state(sampler: Any, state: Mapping[str, Any], device: torch.device) -> None:
    """Set a sampler's attributes to those of `changed_state`."""
    for name, value in state.items():
        setattr(sampler, name, _moved(value, device))


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, Tensor):
        return value.to(device)
    return [_moved(item, device) for item in value] if isinstance(value, list) else value


def _same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        return a.shape == b.shape and bool(torch.equal(a, b))
    if isinstance(a, list):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    # What is not plain (tables, functions) is made when the steps are set, and stays.
    return not isinstance(a, _PLAIN) or a == b


def _packed(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Tensors out of a tree of lists and dicts, into `tensors`."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().clone().contiguous()
        return {"tensor": name}
    if isinstance(value, Mapping):
        return {"map": {key: _packed(item, tensors) for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return [_packed(item, tensors) for item in value]
    if not isinstance(value, _PLAIN):
        raise TypeError(f"a sampler's state has a {type(value).__name__}")
    return value


def _unpacked(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_unpacked(item, tensors) for item in value]
    if isinstance(value, dict):
        if "tensor" in value:
            return tensors[value["tensor"]]
        return {key: _unpacked(item, tensors) for key, item in value["map"].items()}
    return value


def _tidy(folder: Path) -> None:
    """Forget the oldest: cancelled work that nobody has come back to."""
    files = sorted(folder.glob("*.safetensors"), key=lambda f: f.stat().st_mtime, reverse=True)
    for place, file in enumerate(files):
        if place >= _MOST_FILES or time.time() - file.stat().st_mtime > _OLDEST_SECONDS:
            file.unlink(missing_ok=True)
