"""How far the last phase of a texture is: measured, put into files, seen from all round, mapped."""

from __future__ import annotations

from dataclasses import dataclass

from underpaint.requests import TextureRequest
from underpaint_daemon.common.job_contract import Phase, Reporter
from underpaint_daemon.worker.materials.maps import MAP_NAMES

MEASURED, TURNED, ESTIMATED, OCCLUDED = 30, 30, 200, 64
"""Work in units of one direction of ambient occlusion, as measured with the starter on a CPU at ten
views of 256 px: the measures of quality; a turntable; what Marigold makes of one view; for each
tile, the sky over it, direction by direction."""
WRITTEN, GATHERED, MAPPED = 10, 40, 4
"""The same for each tile of 1024 texels a side; of other sizes as many times as they have texels:
its files; views gathered as maps; one map as a file."""
_SIDE = 1024


@dataclass(slots=True)
class Saving:
    """Tells the phase step by step. `total`: units of all its work. `area`: of a tile, 1 = 1024
    texels a side."""

    reporter: Reporter
    total: int
    area: float
    _done: int = 0

    @classmethod
    def begun(
        cls, reporter: Reporter, request: TextureRequest, tiles: int, estimates: int
    ) -> Saving:
        """That of a request; tells its beginning. `estimates`: of views by Marigold's models."""
        saving = cls(reporter, 0, (request.size / _SIDE) ** 2)
        saving.total = MEASURED + TURNED * request.turntable + tiles * saving.scaled(WRITTEN)
        if request.pbr is not None:
            files = len(MAP_NAMES) * saving.scaled(MAPPED)
            saving.total += tiles * (saving.scaled(GATHERED) + OCCLUDED + files)
            saving.total += estimates * ESTIMATED
        reporter.progress(Phase.SAVING, 0, saving.total)
        return saving

    def scaled(self, units: int) -> int:
        """Units of a tile of this size."""
        return max(1, round(units * self.area))

    def tick(self, units: int = 1) -> None:
        """So much is done. Raises JobCancelled."""
        self.reporter.raise_if_cancelled()
        self._done = min(self._done + units, self.total)
        self.reporter.progress(Phase.SAVING, self._done, self.total)

    def tick_texels(self, units: int) -> None:
        """So much of a tile of 1024 texels a side. Raises JobCancelled."""
        self.tick(self.scaled(units))
