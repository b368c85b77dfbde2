"""Jobs that were ended while the worker could not hear of it: it imports, or loads a model. When it
comes to look, it skips them, and has the next job."""

from __future__ import annotations

from ..supervisor import Supervisor

_STARTS_S = 300.0


class Leftover:
    """What the worker still has to skip; a fresh worker has nothing. Times are monotonic."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._pid: int | None = None
        self._jobs: dict[str, float | None] = {}

    def add(self, job: str, kill_at: float | None) -> None:
        """A job was ended. `kill_at`: when the worker is to be through with it, None = whenever;
        one that still starts has some minutes more: a fresh one would begin anew."""
        if not self.there:
            self._pid, self._jobs = self._supervisor.pid, {}
        late = 0.0 if self._supervisor.able else _STARTS_S
        self._jobs[job] = None if kill_at is None else kill_at + late

    def skipped(self, job: str) -> None:
        """The worker is through with a job."""
        self._jobs.pop(job, None)

    @property
    def there(self) -> bool:
        """Whether the worker may still be at one of them."""
        return self._supervisor.pid == self._pid and bool(self._jobs)

    def overdue(self, now: float) -> bool:
        """Whether it takes longer than was left to it."""
        due = [at for at in self._jobs.values() if at is not None]
        return self.there and bool(due) and now >= min(due)
