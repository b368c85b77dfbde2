"""The runner of all requests: checks, loads the model, runs, and packs the results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint.buffers import Buffers, Kind
from underpaint.paths import Paths
from underpaint.requests import (
    ImageRequest,
    InpaintRequest,
    Request,
    TextureRequest,
    UpscaleRequest,
)

from ..common.abilities import ABILITIES
from ..common.checks.files import check_files
from ..common.checks.validation import enlarged, validate
from ..common.defaults.remarks import remarks
from ..common.defaults.settle import image_size, settled_with
from ..common.job_contract import Artifact, JobCancelled, Phase, Reporter, Runner
from ..common.models import family_of
from ..common.refusals import refining_request, refuse_handoff, refuse_what_cannot_be
from .materials.material import material_artifacts
from .pipelines.controls.guided import with_pattern
from .pipelines.controls.shown import control_artifacts
from .pipelines.image import begin_image, finish_image, run_image
from .pipelines.inpaint import run_inpaint
from .pipelines.latents import grid_cell
from .pipelines.loading.cache import ModelCache, spare_memory
from .pipelines.loading.components import LoadedModel
from .pipelines.loading.facts import model_facts, word_notes
from .pipelines.loading.fetch import fetched
from .pipelines.loading.networks import missed_gpu
from .pipelines.memory import Tier, release_gpu, within_memory
from .pipelines.precision import Overflowed, wider
from .pipelines.threads import threads_for
from .pipelines.upscale import run_upscale
from .provenance import image_artifacts, recipe

Image8 = npt.NDArray[np.uint8]
Arrays = Mapping[str, npt.NDArray[Any]]
_Picture = ImageRequest | InpaintRequest | UpscaleRequest


def build_runner(paths: Paths) -> Runner:
    """The runner that a worker calls for every job; it keeps models loaded between jobs."""
    return PipelineRunner(ModelCache(paths))


class PipelineRunner:
    """Runs requests on the models of one cache."""

    def __init__(self, models: ModelCache) -> None:
        self.models = models

    def __call__(self, request: Request, buffers: Arrays, reporter: Reporter) -> list[Artifact]:
        """The request's artifacts. Raises UnderpaintErrors and JobCancelled."""
        request, defaults = settled_with(request, self.models.paths)
        validate(request)
        for remark in remarks(request, defaults):
            reporter.warn(remark)
        if (gpu := missed_gpu(self.models.place)) is not None:
            reporter.warn(f"GPU {gpu} of the settings is not there: it paints on the CPU.")
        try:
            return self._in_range(request, buffers, reporter)
        except JobCancelled:
            release_gpu()
            raise

    def _in_range(self, request: Request, buffers: Arrays, reporter: Reporter) -> list[Artifact]:
        """What `_run` gives; a model whose numbers leave float16's range once more, wider."""
        try:
            return self._run(request, buffers, reporter)
        except Overflowed:
            dtype = wider(self.models.place)
            kind = str(dtype).removeprefix("torch.")
            reporter.warn(
                f"Model {request.model!r} overflows in float16 and would paint black: it paints "
                f"again in {kind}, from now on."
            )
            self.models.widen(request.model, dtype)
            return self._run(request, buffers, reporter)

    def let_go(self) -> None:
        """Leave the GPU to others until the next job: see `ModelCache.let_go`."""
        try:
            self.models.let_go(spare_memory())
        except (RuntimeError, MemoryError):  # main memory was taken by others meanwhile
            self.models.unload()

    def unload(self) -> None:
        """Drop all models and give their memory back."""
        self.models.unload()

    def _run(self, request: Request, buffers: Arrays, reporter: Reporter) -> list[Artifact]:
        refuse_what_cannot_be(request, family_of(self.models.paths, request.model), request.model)
        check_files(request, self.models.paths)
        if isinstance(request, (ImageRequest, InpaintRequest)):
            self._check_refiner(request)
        if isinstance(request, TextureRequest):
            # Texturing builds on these pipelines, so it is imported only when asked for.
            from .texturing.job.runner import run_texture

            return run_texture(request, buffers, reporter, self.models)
        if isinstance(request, ImageRequest) and request.only_controls:
            return control_artifacts(request, buffers, self.models.paths, reporter.warn)
        if not isinstance(request, UpscaleRequest):
            request = with_pattern(request, buffers)
        model = fetched(self.models, request.model, reporter)
        for note in word_notes(model, request):
            reporter.warn(note)
        facts = model_facts(model, request)
        if isinstance(request, ImageRequest) and _handoff(request) is not None:
            images, facts["refiner"] = self._handed_over(model, request, buffers, reporter)
        else:
            images = self._painted(model, request, buffers, reporter)
            if not isinstance(request, UpscaleRequest) and request.refiner is not None:
                images, facts["refiner"] = self._refined(images, request, buffers, reporter)
        self.models.trim()
        reporter.progress(Phase.SAVING, 0, 1)
        if reporter.enough():
            reporter.warn("It was enough: the picture is as it was then.")
        artifacts = image_artifacts(images, request, facts, stopped=reporter.enough())
        if isinstance(request, ImageRequest):
            made = recipe(request, seed=request.sampling.seed, index=0, model=facts)
            foreign = model.family.foreign  # its networks may be of any kind
            able = ABILITIES[model.family.name]
            cell = able.cell if foreign else grid_cell(model.vae, model.denoiser)
            artifacts += within_memory(
                lambda _tier: material_artifacts(images, request, made, self.models, cell),
                (Tier.FULL, Tier.TILED),
                reporter.warn,
                "The material's maps",
            )
        reporter.progress(Phase.SAVING, 1, 1)
        return artifacts

    def _painted(
        self, model: LoadedModel, request: _Picture, buffers: Arrays, reporter: Reporter
    ) -> list[Image8]:
        return within_memory(
            lambda tier: _paint(model, request, buffers, tier, reporter),
            model.place.tiers,
            reporter.warn,
            _what(request),
        )

    def _check_refiner(self, request: ImageRequest | InpaintRequest) -> None:
        """What the second model cannot do is refused before the first one paints."""
        if request.refiner is not None:
            name = request.refiner.model
            picture = Buffers().add(Kind.COLOR, np.zeros((1, 1, 3), np.uint8))
            second = refining_request(request, picture, 0)
            family = family_of(self.models.paths, name)
            refuse_what_cannot_be(second, family, name)
            if request.refiner.handoff is not None:
                refuse_handoff(family_of(self.models.paths, request.model), family)

    def _handed_over(
        self, model: LoadedModel, request: ImageRequest, buffers: Arrays, reporter: Reporter
    ) -> tuple[list[Image8], dict[str, Any]]:
        """The pictures that a second model makes of the first one's latents, which still have noise
        in them, and what is to be told of it. What was enough in the first one stays with it."""
        handoff = _handoff(request)
        assert handoff is not None
        assert request.refiner is not None
        latents, pictures = within_memory(
            lambda tier: _first_part(model, request, buffers, tier, reporter),
            model.place.tiers,
            reporter.warn,
            _what(request),
        )
        second_model = fetched(self.models, request.refiner.model, reporter)
        blank = Buffers().add(Kind.COLOR, np.zeros((*_size(request), 3), np.uint8))
        for i, one in enumerate(latents):
            second = refining_request(request, blank, i)
            assert isinstance(second, ImageRequest)
            pictures += self._finished(second_model, second, one, handoff, reporter)
        return pictures, model_facts(second_model, refining_request(request, blank, 0))

    def _finished(
        self,
        model: LoadedModel,
        request: ImageRequest,
        latents: Tensor,
        handoff: float,
        reporter: Reporter,
    ) -> list[Image8]:
        given = latents.to(model.place.device, model.place.dtype)
        return within_memory(
            lambda tier: _second_part(model, request, given, handoff, tier, reporter),
            model.place.tiers,
            reporter.warn,
            _what(request),
        )

    def _refined(
        self,
        images: list[Image8],
        request: ImageRequest | InpaintRequest,
        buffers: Arrays,
        reporter: Reporter,
    ) -> tuple[list[Image8], dict[str, Any]]:
        """The pictures as the second model finishes them, and what is to be told of it. When it is
        enough, those that are left stay as they are."""
        assert request.refiner is not None
        finished, name, model = list[Image8](), request.refiner.model, None
        own = Buffers()
        if isinstance(request, InpaintRequest):
            own.add(Kind.MASK, buffers[request.mask.sha256])
        for i, image in enumerate(images):
            second = refining_request(request, own.add(Kind.COLOR, image), i)
            model = fetched(self.models, name, reporter)
            finished += (
                [image] if reporter.enough() else self._painted(model, second, own, reporter)
            )
        assert model is not None
        return finished, model_facts(model, second)


def _paint(
    model: LoadedModel,
    request: _Picture,
    arrays: Arrays,
    tier: Tier,
    reporter: Reporter,
) -> list[Image8]:
    with torch.no_grad(), threads_for(_pixels(request), model.place.device):
        if isinstance(request, ImageRequest):
            return run_image(model, request, arrays, tier, reporter)
        if isinstance(request, UpscaleRequest):
            return [run_upscale(model, request, arrays, tier, reporter)]
        return run_inpaint(model, request, arrays, tier, reporter)


def _first_part(
    model: LoadedModel, request: ImageRequest, arrays: Arrays, tier: Tier, reporter: Reporter
) -> tuple[list[Tensor], list[Image8]]:
    with torch.no_grad(), threads_for(_pixels(request), model.place.device):
        return begin_image(model, request, arrays, tier, reporter)


def _second_part(
    model: LoadedModel,
    request: ImageRequest,
    latents: Tensor,
    handoff: float,
    tier: Tier,
    reporter: Reporter,
) -> list[Image8]:
    with torch.no_grad(), threads_for(_pixels(request), model.place.device):
        return [finish_image(model, request, latents, handoff, tier, reporter)]


def _handoff(request: ImageRequest) -> float | None:
    return None if request.refiner is None else request.refiner.handoff


def _pixels(request: _Picture) -> int:
    height, width = _size(request)
    return height * width


def _size(request: _Picture) -> tuple[int, int]:
    """Height and width of the result."""
    if isinstance(request, UpscaleRequest):
        return enlarged(request)
    if isinstance(request, ImageRequest):
        return image_size(request)
    return request.image.shape[0], request.image.shape[1]


def _what(request: _Picture) -> str:
    height, width = _size(request)
    if isinstance(request, UpscaleRequest):
        return f"Upscaling to {width}×{height}"
    if isinstance(request, ImageRequest):
        return f"An image of {width}×{height}"
    return f"Inpainting {width}×{height}"
