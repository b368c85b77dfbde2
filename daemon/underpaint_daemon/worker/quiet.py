"""A reporter for jobs that nobody watches: evaluations and benches."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..common.job_contract import Image8, Phase


@dataclass(slots=True)
class Quiet:
    """A job's line to nobody; it keeps the warnings."""

    warnings: list[str] = field(default_factory=list)

    def progress(self, phase: Phase, step: int, total: int) -> None:
        del phase, step, total

    def raise_if_cancelled(self) -> None:
        return

    def enough(self) -> bool:
        return False

    def wants_preview(self) -> bool:
        return False

    def preview(self, step: int, image: Image8, index: int = 0) -> None:
        del step, image, index

    def warn(self, message: str) -> None:
        self.warnings.append(message)
