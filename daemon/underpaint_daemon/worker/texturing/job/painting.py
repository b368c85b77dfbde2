"""One texturing job on its way: what every method is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy.typing as npt
from torch import Tensor

from underpaint.requests import ControlKind, TextureRequest
from underpaint_daemon.common.defaults.settle import Settled, settled, view_side
from underpaint_daemon.common.job_contract import Phase, Reporter
from underpaint_daemon.worker.pipelines.finishing.decoding import decoded_by
from underpaint_daemon.worker.pipelines.finishing.detail import detailed
from underpaint_daemon.worker.pipelines.latents import encode_images
from underpaint_daemon.worker.pipelines.loading.components import LoadedModel
from underpaint_daemon.worker.pipelines.steps import active_steps

from ..cameras.placement import RigView
from ..cameras.rig import automatic_rig
from ..cameras.rings import chain
from ..projection.gather import PaintedView
from ..projection.lookup import textured_view, with_uv
from ..projection.project import Texture, painted_view
from ..surface.atlas import AtlasTile, build_tile, tiles
from ..surface.mesh import Mesh
from ..surface.reception import Received
from ..surface.uvcheck import UvReport
from ..views.background import make_background
from ..views.correspondence import Correspondence
from ..views.multiview import AnyDenoiser, Rewrite, Run, denoise_views
from ..views.noise import SurfaceNoise
from ..views.resume import Journal
from ..views.schedule import SyncSchedule
from ..views.stations import Preparer, Station
from ..views.sync import Synchroniser
from .existing import Existing
from .stream import TextureStream

_GREY = 0.5


@dataclass(frozen=True, slots=True)
class Inputs:
    """A job's inputs. uv: what there is to say of the mesh's UV map; existing: the texture that is
    there already; spot: the views to paint its open parts from, None = to be found; received: how
    the mesh came in, where that is known."""

    model: LoadedModel
    request: TextureRequest
    mesh: Mesh
    uv: UvReport
    arrays: Mapping[str, npt.NDArray[Any]]
    reporter: Reporter
    preparer: Preparer
    denoiser: AnyDenoiser
    stream: TextureStream
    existing: Existing = field(default_factory=Existing)
    spot: tuple[Station, ...] | None = None
    journal: Journal = field(default_factory=Journal)
    received: Received | None = None
    schedule: SyncSchedule = field(default_factory=SyncSchedule)
    _atlas: list[AtlasTile] = field(default_factory=list)

    @property
    def sampling(self) -> Settled:
        return settled(self.request.sampling)

    def steps_at(self, strength: float) -> int:
        """Steps that a strength takes."""
        return active_steps(self.sampling.steps, strength, flow=self.model.flow)

    @property
    def side(self) -> int:
        """Pixels a side of placed views."""
        return view_side(self.request)

    def atlas(self) -> list[AtlasTile]:
        """The texels of all tiles; made once."""
        if not self._atlas:
            size = self.request.size
            self._atlas.extend(build_tile(self.mesh, n, size) for n in tiles(self.mesh))
        return self._atlas


@dataclass(frozen=True, slots=True)
class Painted:
    """What a method made: the textures of all tiles, and the views with their pictures. existing:
    what was there before, with what of it was to stay."""

    textures: list[Texture]
    stations: Sequence[Station]
    pictures: Sequence[Tensor]
    """(h, w, 3) float32, 0..1."""
    existing: Existing = field(default_factory=Existing)

    def views(self) -> list[PaintedView]:
        return [
            painted_view(station.buffers, picture)
            for station, picture in zip(self.stations, self.pictures, strict=True)
        ]


Views = tuple[Sequence[Station], Sequence[Tensor]]


@dataclass(frozen=True, slots=True)
class Pass:
    """One denoising of some stations. start: pictures (h, w, 3) to begin from below full
    strength. done, total: view-steps before, and in the whole job. shown: which stations' views
    clean latents are, where they are not the pass's own."""

    stations: Sequence[Station]
    rewrite: Rewrite
    strength: float = 1.0
    start: Sequence[Tensor] | None = None
    done: int = 0
    total: int | None = None
    shown: Callable[[Sequence[Tensor]], Views] | None = None


def stations_of(inputs: Inputs, count: int | None = None) -> list[Station]:
    """The job's views, neighbours after one another, the front (or the first given) first."""
    request, mesh = inputs.request, inputs.mesh
    inputs.reporter.progress(Phase.ENCODING, 0, 1)
    if request.views:
        stations = inputs.preparer.captured(request.views[:count])
    else:
        rig = automatic_rig(mesh, count or request.view_count, inputs.side)
        stations = inputs.preparer.placed(rig)
    order = chain([s.buffers.camera for s in stations], mesh.center.cpu().numpy())
    inputs.reporter.progress(Phase.ENCODING, 1, 1)
    return [stations[i] for i in order]


def placed(inputs: Inputs, rig: Sequence[RigView]) -> list[Station]:
    """Stations of given cameras about the mesh."""
    return inputs.preparer.placed(rig)


def synchroniser(
    inputs: Inputs, stations: Sequence[Station], *, apart: bool = False
) -> Synchroniser:
    """The hook that keeps views in agreement; apart: only backgrounds are plain."""
    latents = [station.latent for station in stations]
    lone = apart or len(stations) == 1
    mirror = None if apart else inputs.request.mirror
    return Synchroniser(
        [station.object_mask for station in stations],
        None if lone and mirror is None else Correspondence.build(latents, mirror),
        make_background(inputs.model, len(stations), inputs.request.sampling.seed),
        inputs.schedule,
    )


def paint(inputs: Inputs, plan: Pass) -> list[Tensor]:
    """Denoise stations together; their pictures (h, w, 3) float32 0..1 on the mesh's device."""
    start = None if plan.start is None else [_encoded(inputs, p) for p in plan.start]

    def show(clean: Sequence[Tensor]) -> tuple[npt.NDArray[Any], int]:
        return inputs.stream.picture(*(plan.shown(clean) if plan.shown else (plan.stations, clean)))

    run = Run(
        model=inputs.model,
        sampling=inputs.sampling,
        stations=plan.stations,
        noise=SurfaceNoise.build([station.latent for station in plan.stations]),
        rewrite=plan.rewrite,
        reporter=inputs.reporter,
        show=show,
        strength=plan.strength,
        start=start,
        reference_weight=inputs.schedule.reference_weight,
        done=plan.done,
        total=plan.total or 0,
        journal=inputs.journal,
        number=inputs.journal.begin_pass(),
    )
    if plan.total is None:
        run = _with_total(run)
    latents = denoise_views(run, inputs.denoiser)
    return decoded(inputs, latents, [_guide(station) for station in plan.stations])


def _guide(station: Station) -> npt.NDArray[Any] | None:
    return station.conditioning.by_kind.get(ControlKind.GUIDE)


def _with_total(run: Run) -> Run:
    return replace(run, total=run.steps * len(run.stations))


def decoded(
    inputs: Inputs, latents: Sequence[Tensor], guides: Sequence[npt.NDArray[Any] | None]
) -> list[Tensor]:
    """Latents to pictures (h, w, 3), one after another, with the detail that guides tell. Not
    sharpened: each by itself, the views of one surface would agree less."""
    pictures, model = [], inputs.model
    for i, (latent, guide) in enumerate(zip(latents, guides, strict=True)):
        inputs.reporter.raise_if_cancelled()
        inputs.reporter.progress(Phase.DECODING, i, len(latents))
        soft = decoded_by(model.vae, latent, model.decode_window)
        picture = detailed(soft, soft, guide, model.guide_detail)[0].permute(1, 2, 0)
        pictures.append(picture.to(inputs.mesh.position.device))
    inputs.reporter.progress(Phase.DECODING, len(latents), len(latents))
    return pictures


def _encoded(inputs: Inputs, picture: Tensor) -> Tensor:
    return encode_images(inputs.model.vae, picture.permute(2, 0, 1)[None].float().cpu())


def seen_texture(
    inputs: Inputs, station: Station, textures: Sequence[tuple[int, Tensor]]
) -> tuple[Tensor, Tensor]:
    """A texture (RGBA, 0..1) as a station sees it: picture (h, w, 3) over grey, alpha (h, w)."""
    view = with_uv(inputs.mesh, station.buffers)
    rgba = textured_view(inputs.mesh, view, textures)
    alpha = rgba[..., 3:].clamp(0, 1)
    return rgba[..., :3] * alpha + _GREY * (1 - alpha), alpha[..., 0]
