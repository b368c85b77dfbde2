"""What an artist should know of a settled request before it is painted; nothing is refused."""

from __future__ import annotations

from underpaint.requests import Request

from .model_defaults import Defaults


def remarks(request: Request, defaults: Defaults) -> list[str]:
    """Sentences about a request that went through `settle`. `defaults`: its model's."""
    steps, most = request.sampling.steps, defaults.most_steps
    if most is None or steps is None or steps <= most:
        return []
    return [
        f"Model {request.model!r} paints best in {_counted(defaults.steps)}; beyond "
        f"{_counted(most)} its pictures get worse. This one takes {steps}."
    ]


def _counted(steps: int) -> str:
    return "1 step" if steps == 1 else f"{steps} steps"
