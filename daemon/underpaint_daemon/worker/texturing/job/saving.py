"""How far the last phase of a texture is: measured, put into files, seen from all round, mapped."""

from __future__ import annotations

from dataclasses import dataclass

from underpaint.requests import TextureRequest
from underpaint_daemon.common.job_contract import Phase, Reporter

MEASURED, WRITTEN, TURNED, GATHERED, OCCLUDED, MAPPED = 30, 10, 30, 40, 64, 40
"""Work in units of one direction of ambient occlusion, as measured at 1024 texels and ten views of
256 px: quality; files; a turntable; then, for each tile, views gathered as maps, the sky over it,
and the maps as files."""


@dataclass(slots=True)
class Saving:
    """Tells the phase step by step. `total`: units of all its work."""

    reporter: Reporter
    total: int
    _done: int = 0

    @classmethod
    def begun(cls, reporter: Reporter, request: TextureRequest, tiles: int) -> Saving:
        """That of a request; tells its beginning."""
        maps = 0 if request.pbr is None else tiles * (GATHERED + OCCLUDED + MAPPED)
        total = MEASURED + tiles * WRITTEN + TURNED * request.turntable + maps
        reporter.progress(Phase.SAVING, 0, total)
        return cls(reporter, total)

    def tick(self, units: int = 1) -> None:
        """So much is done. Raises JobCancelled."""
        self.reporter.raise_if_cancelled()
        self._done = min(self._done + units, self.total)
        self.reporter.progress(Phase.SAVING, self._done, self.total)

    def over(self) -> None:
        """All is done."""
        self.tick(self.total)
