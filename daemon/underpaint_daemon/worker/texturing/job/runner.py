"""Texture requests: from a mesh and a prompt to a texture in the mesh's own UVs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy.typing as npt
import torch

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import TextureRequest
from underpaint_daemon.common.defaults.settle import settled
from underpaint_daemon.common.job_contract import Artifact, Phase, Reporter
from underpaint_daemon.worker.pipelines.adapters import Turn, with_loras
from underpaint_daemon.worker.pipelines.controls.guided import with_pattern
from underpaint_daemon.worker.pipelines.controls.networks import load_networks
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.components import LoadedModel
from underpaint_daemon.worker.pipelines.loading.facts import model_facts, word_notes
from underpaint_daemon.worker.pipelines.loading.fetch import fetched
from underpaint_daemon.worker.pipelines.loading.networks import exact_device
from underpaint_daemon.worker.pipelines.making import tool_pipeline
from underpaint_daemon.worker.pipelines.memory import Tier, frugal, within_memory
from underpaint_daemon.worker.pipelines.references.beside import Beside, adapted, through_networks
from underpaint_daemon.worker.pipelines.references.image_prompt import ranged, with_reference
from underpaint_daemon.worker.pipelines.references.seen import Attended
from underpaint_daemon.worker.provenance import recipe

from ..surface.atlas import tiles
from ..surface.pieces import told_of_small_pieces
from ..surface.reception import Received, mesh_from_request
from ..surface.uvcheck import check_uvs
from ..views.attention import shared_attention
from ..views.denoiser import Denoiser
from ..views.multiview import AnyDenoiser
from ..views.pipeline_denoiser import PipelineDenoiser
from ..views.resume import Journal
from ..views.stations import Preparer
from .existing import Existing
from .methods import METHODS, paint_texture
from .painting import Inputs
from .pbr import Estimators, pbr_artifacts, view_count
from .results import artifacts_of
from .saving import Saving
from .stream import TextureStream

Arrays = Mapping[str, npt.NDArray[Any]]


def run_texture(
    request: TextureRequest, buffers: Arrays, reporter: Reporter, models: ModelCache
) -> list[Artifact]:
    """The result files of a texture request: `texture.png` (RGBA, size×size; `texture_NUMBER.png`
    per UDIM tile when there are several), `heat_map.png`, `provenance.npz`, `views.png`,
    `views.json` (their cameras), `quality.json`, `texture.json` (the recipe); with `pbr` the maps
    (`pbr`).

    Deterministic for a seed on the CPU, also when it is interrupted and run again: it goes on from
    where it stood. Raises UnderpaintErrors and JobCancelled.
    """
    _check_method(request)
    request = with_pattern(request, buffers)
    model = fetched(models, request.model, reporter)
    for note in word_notes(model, request):
        reporter.warn(note)
    facts = model_facts(model, request)
    told = recipe(request, seed=request.sampling.seed, index=0, model=facts)

    seed = request.sampling.seed

    def attempt(tier: Tier) -> list[Artifact]:
        tools = None if request.pbr is None else Estimators.load(request.pbr, seed, models)
        journal = Journal.open(models.paths.cache, {**told, "tier": tier.value})
        files = _run(request, buffers, reporter, model, tier, journal, facts, tools)
        journal.close()
        return files

    return within_memory(
        attempt,
        model.place.tiers,
        reporter.warn,
        f"A texture of {request.size}×{request.size}",
    )


def _check_method(request: TextureRequest) -> None:
    if request.method not in METHODS:
        known = ", ".join(METHODS)
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"method is {request.method.value!r}; known are {known}"
        )


@torch.no_grad()
def _run(
    request: TextureRequest,
    buffers: Arrays,
    reporter: Reporter,
    model: LoadedModel,
    tier: Tier,
    journal: Journal,
    facts: Mapping[str, Any],
    tools: Estimators | None,
) -> list[Artifact]:
    with prepared(request, buffers, reporter, model, tier, journal=journal) as inputs:
        painted = paint_texture(inputs)
        estimates = 0 if tools is None else tools.models * view_count(inputs, painted)
        saving = Saving.begun(reporter, request, len(painted.textures), estimates)
        files = artifacts_of(inputs, painted, facts, saving)
        if tools is not None:
            told = recipe(request, seed=request.sampling.seed, index=0, model=facts)
            files += pbr_artifacts(inputs, painted, told, tools, saving)
        return files


@contextmanager
def prepared(
    request: TextureRequest,
    buffers: Arrays,
    reporter: Reporter,
    model: LoadedModel,
    tier: Tier = Tier.FULL,
    *,
    share_attention: bool = True,
    journal: Journal | None = None,
) -> Iterator[Inputs]:
    """A job ready to paint: mesh checked, adapters and memory tier in place; all undone after."""
    received = _received(request, buffers, reporter)
    # Everything but the networks is where the mesh is.
    mesh = received.mesh.to(exact_device(model.place.device))
    small = told_of_small_pieces(mesh, request.size)
    uv = check_uvs(mesh)
    for warning in (*mesh.warnings, *uv.warnings, *([small] if small else [])):
        reporter.warn(warning)
    with ExitStack() as stack:
        tool, of_parts = tool_pipeline(model), [one.loras for one in request.object_prompts]
        turn = stack.enter_context(with_loras(tool, model, request.loras, of_parts))
        beside = adapted(request.references if "unet" in model.parts else (), buffers)
        shown = stack.enter_context(_shown(beside, model))
        turn, place = ranged(turn, tool, beside), model.place
        load_networks(model, through_networks(request.controls or (), model.family.name))
        stack.enter_context(frugal(tier, model.networks, place.device, place.home))
        denoiser = stack.enter_context(
            _denoiser(request, model, share_attention, turn, shown, beside.attended)
        )
        existing = Existing.of(request, buffers, tiles(mesh))
        yield Inputs(
            model=model,
            request=request,
            mesh=mesh,
            uv=uv,
            arrays=buffers,
            reporter=reporter,
            preparer=Preparer(model, request, mesh, buffers, reporter.warn, turn),
            denoiser=denoiser,
            stream=TextureStream(model, mesh, existing),
            existing=existing,
            journal=journal or Journal(),
            received=received,
        )


@contextmanager
def _denoiser(
    request: TextureRequest,
    model: LoadedModel,
    share: bool,
    turn: Turn,
    shown: Sequence[torch.Tensor],
    attended: Sequence[Attended],
) -> Iterator[AnyDenoiser]:
    """UNets share attention between views; transformers are called through their pipelines."""
    sampling = settled(request.sampling)
    if "unet" not in model.parts:
        yield PipelineDenoiser(model, sampling, turn)
        return
    with shared_attention(model.unet, share, seen=bool(attended)) as memory:
        yield Denoiser(model, sampling, memory, turn, shown, attended)


@contextmanager
def _shown(beside: Beside, model: LoadedModel) -> Iterator[Sequence[torch.Tensor]]:
    """What UNets read of a reference through an IP-Adapter that is put on for the block."""
    tool, guided = tool_pipeline(model), True
    with with_reference(
        tool, model, beside.adapter, beside.scale, guided, beside.through
    ) as arguments:
        yield arguments.get("ip_adapter_image_embeds", ())


def _received(request: TextureRequest, buffers: Arrays, reporter: Reporter) -> Received:
    def tick(done: int, total: int) -> None:
        reporter.raise_if_cancelled()
        reporter.progress(Phase.UNWRAPPING, done, total)

    return mesh_from_request(request.mesh, buffers, partly=request.unwrap, tick=tick)
