"""A job's model: loaded for it, with as little memory as it takes, and told of."""

from __future__ import annotations

from underpaint_daemon.common.job_contract import Phase, Reporter

from ..memory import Tier, within_memory
from .cache import ModelCache
from .components import LoadedModel

_IN_PARTS = (Tier.BLOCKS, Tier.OFFLOADED)
"""Networks are loaded whole in these, too: they save nothing before the painting."""


def fetched(models: ModelCache, name: str, reporter: Reporter) -> LoadedModel:
    """The model of that name or path. When memory runs out on the way everything else is dropped,
    then its weights stay in main memory.

    Raises RequestError(MODEL_MISSING, MODEL_BROKEN), JobFailed(OUT_OF_MEMORY), JobCancelled.
    """
    reporter.raise_if_cancelled()
    reporter.progress(Phase.LOADING, 0, 1)
    model = within_memory(
        lambda tier: _at(models, name, tier),
        [one for one in models.place.tiers if one not in _IN_PARTS] or [models.place.first],
        reporter.warn,
        f"Model {name!r}",
    )
    if model.place.first is Tier.VISITING:
        reporter.warn(
            f"Model {name!r} is larger than the room on this GPU: its networks wait in main "
            "memory and visit it one after another."
        )
    if model.place.first is Tier.BLOCKS:
        reporter.warn(
            f"Model {name!r} has a network larger than the room on this GPU: its networks wait in "
            "main memory and visit it block by block."
        )
    if model.place.first is Tier.OFFLOADED:
        reporter.warn(
            f"Model {name!r} is much larger than the room on this GPU: its networks wait in main "
            "memory and visit it layer by layer, which is slow."
        )
    reporter.progress(Phase.LOADING, 1, 1)
    return model


def _at(models: ModelCache, name: str, tier: Tier) -> LoadedModel:
    if tier is models.place.first:
        return models.load(name)
    return models.load_alone(name, waits=tier is Tier.VISITING)
