"""The views a texture is painted from, with everything each of them needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint.buffers import Buffers, Kind
from underpaint.cameras import Camera
from underpaint.normals import encode_normal
from underpaint.requests import TextureRequest, View
from underpaint_daemon.common.abilities import ABILITIES
from underpaint_daemon.worker.pipelines.adapters import Turn
from underpaint_daemon.worker.pipelines.canvas import Canvas
from underpaint_daemon.worker.pipelines.controls.guided import Surface
from underpaint_daemon.worker.pipelines.controls.images import Series, Sources
from underpaint_daemon.worker.pipelines.controls.networks import Conditioning, prepare_controls
from underpaint_daemon.worker.pipelines.latents import vae_scale
from underpaint_daemon.worker.pipelines.loading.components import LoadedModel
from underpaint_daemon.worker.pipelines.references.beside import (
    Beside,
    read_beside,
    through_networks,
)

from ..cameras.placement import RigView
from ..cameras.render import ViewBuffers, render_view, resized, view_from_buffers
from ..projection.lookup import with_uv
from ..surface.mesh import Mesh
from .views_prompt import PromptBook, Region

Arrays = Mapping[str, npt.NDArray[Any]]
_SMALLEST = 64


@dataclass(frozen=True, slots=True)
class Station:
    """One view. buffers: at image resolution; latent: at latent resolution. word: the side it
    looks from, None if unknown. conditioning: its controls; beside: what is read beside the
    words, its exact depth and normals for families without ControlNets; regions: its prompts."""

    buffers: ViewBuffers
    latent: ViewBuffers
    word: str | None
    conditioning: Conditioning
    regions: tuple[Region, ...]
    beside: Beside = field(default_factory=Beside)

    @property
    def size(self) -> tuple[int, int]:
        """Image height and width."""
        return self.buffers.size

    @property
    def object_mask(self) -> Tensor:
        """(h, w) bool at latent resolution: the surface."""
        return self.latent.mask


class Preparer:
    """Makes stations of one request."""

    def __init__(
        self,
        model: LoadedModel,
        request: TextureRequest,
        mesh: Mesh,
        arrays: Arrays,
        warn: Callable[[str], None],
        turn: Turn,
    ) -> None:
        self._model = model
        self._request = request
        self._mesh = mesh
        self._arrays = arrays
        self._book = PromptBook(model, request, turn)
        self._factor = vae_scale(model.vae)
        self._warn = warn
        self._told: set[str] = set()

    def placed(self, rig: Sequence[RigView]) -> list[Station]:
        """Stations of cameras about the mesh: its geometry is rendered here."""
        words = [None if view.direction is None else view.direction.word for view in rig]
        return self._rendered([view.camera for view in rig], words)

    def enlarged(self, stations: Sequence[Station], scale: int) -> list[Station]:
        """The same placed cameras with `scale` times the pixels a side."""
        sizes = [(scale * s.size[0], scale * s.size[1]) for s in stations]
        cameras = [resized(s.buffers.camera, n) for s, n in zip(stations, sizes, strict=True)]
        return self._rendered(cameras, [s.word for s in stations])

    def captured(self, views: Sequence[View]) -> list[Station]:
        """Stations of a host's captured views, which know what stands in between."""
        series = Series([self._arrays[v.depth.sha256] for v in views if v.depth is not None])
        return [self._captured(view, series) for view in views]

    def _rendered(self, cameras: Sequence[Camera], words: Sequence[str | None]) -> list[Station]:
        """One range of depth serves all the views, so that they agree about near and far."""
        sizes = [self._workable((camera.height, camera.width)) for camera in cameras]
        fitted = [resized(camera, size) for camera, size in zip(cameras, sizes, strict=True)]
        seen = [render_view(self._mesh, camera) for camera in fitted]
        series = Series([buffers.depth.cpu().numpy() for buffers in seen])
        return [self._placed(b, w, series) for b, w in zip(seen, words, strict=True)]

    def _placed(self, buffers: ViewBuffers, word: str | None, series: Series) -> Station:
        latent = render_view(self._mesh, buffers.camera, self._cells(buffers.size))
        arrays = Buffers()
        view = _as_view(buffers, arrays)
        return self._station(buffers, latent, word, view, arrays, series)

    def _captured(self, view: View, series: Series) -> Station:
        found = view_from_buffers(view, self._arrays)
        buffers = subsampled(found, self._workable(found.size))
        buffers = _moved(buffers, self._mesh.position.device)
        latent = subsampled(buffers, self._cells(buffers.size))
        return self._station(buffers, latent, None, view, self._arrays, series)

    def _station(
        self,
        buffers: ViewBuffers,
        latent: ViewBuffers,
        word: str | None,
        view: View,
        arrays: Arrays,
        series: Series,
    ) -> Station:
        full = (view.camera.height, view.camera.width)
        canvas = Canvas(full, (0, 0, *full), buffers.size, buffers.size)
        both = {**self._arrays, **arrays}
        sources = Sources(
            view,
            both,
            canvas,
            series=series,
            pattern=self._request.pattern,
            surface=self._surface(buffers),
        )
        controls = self._request.controls or ()
        beside = read_beside(self._model, self._request.references, controls, sources)
        networks = through_networks(controls, self._model.family.name)
        conditioning = prepare_controls(self._model, networks, sources, self._warn_once)
        regions = tuple(self._book.regions(latent.object_id, word, beside.words))
        return Station(buffers, latent, word, conditioning, regions, beside)

    def _surface(self, buffers: ViewBuffers) -> Surface:
        """What a view shows, for the guide: in world space, so that all views agree."""
        position = torch.where(buffers.mask[..., None], buffers.position, torch.inf)
        uv = with_uv(self._mesh, buffers).uv if self._request.pattern.own_uv else None
        return Surface(
            position.cpu().numpy().astype(np.float64),
            buffers.normal.cpu().numpy(),
            None if uv is None else uv.cpu().numpy(),
        )

    def _warn_once(self, warning: str) -> None:
        if warning not in self._told:
            self._told.add(warning)
            self._warn(warning)

    def _workable(self, size: tuple[int, int]) -> tuple[int, int]:
        cell = ABILITIES[self._model.family.name].cell
        height, width = (max(_SMALLEST, round(side / cell) * cell) for side in size)
        return height, width

    def _cells(self, size: tuple[int, int]) -> tuple[int, int]:
        return size[0] // self._factor, size[1] // self._factor


def subsampled(view: ViewBuffers, size: tuple[int, int]) -> ViewBuffers:
    """A view's buffers at another resolution, taken at the pixels nearest to the centres."""
    if view.size == size:
        return view
    rows, columns = (
        ((torch.arange(n, device=view.mask.device) + 0.5) * (full / n)).long().clamp(max=full - 1)
        for n, full in zip(size, view.size, strict=True)
    )

    def taken(image: Tensor) -> Tensor:
        return image[rows[:, None], columns[None, :]]

    return ViewBuffers(
        resized(view.camera, size),
        taken(view.position),
        taken(view.normal),
        taken(view.object_id),
        taken(view.depth),
        taken(view.mask),
        None if view.uv is None else taken(view.uv),
        None if view.triangle is None else taken(view.triangle),
    )


def camera_normals(view: ViewBuffers) -> npt.NDArray[np.uint8]:
    """(h, w, 3) uint8: a view's normals in camera space, encoded as control images are."""
    rotation = view.camera.view_matrix[:3, :3]
    return encode_normal(view.normal.cpu().numpy().astype(np.float64) @ rotation.T)


def _as_view(buffers: ViewBuffers, arrays: Buffers) -> View:
    """Rendered geometry as a captured view, so that controls are made in one place only."""
    return View(
        buffers.camera,
        depth=arrays.add(Kind.DEPTH, buffers.depth.cpu().numpy()),
        normal=arrays.add(Kind.NORMAL, camera_normals(buffers)),
        object_id=arrays.add(Kind.OBJECT_ID, buffers.object_id.cpu().numpy().astype(np.int32)),
    )


def _moved(view: ViewBuffers, device: torch.device) -> ViewBuffers:
    return replace(
        view,
        position=view.position.to(device),
        normal=view.normal.to(device),
        object_id=view.object_id.to(device),
        depth=view.depth.to(device),
        mask=view.mask.to(device),
    )
