"""A client in a process of its own: jobs handed over at once, told as they end.

`python -m helpers.daemon.one_client PROMPT FIRST COUNT [cancel]`: jobs of COUNT seeds from FIRST;
with `cancel` all but the first are cancelled. A line of JSON for each: seed, how it ended, and the
files by their names, each with the byte that its runner fills it with.
"""

from __future__ import annotations

import json
import sys

import underpaint
from underpaint.errors import UnderpaintError
from underpaint.job import Job
from underpaint.requests import ImageRequest, Prompt, Sampling


def main(prompt: str, first: str, count: str, *rest: str) -> None:
    """Hand over, and tell."""
    seeds = range(int(first), int(first) + int(count))
    with underpaint.connect(start=False) as up:
        jobs = [up.submit(ImageRequest(Prompt(prompt), sampling=Sampling(seed=s))) for s in seeds]
        print("handed over", flush=True)
        if "cancel" in rest:
            for job in jobs[1:]:
                job.cancel()
        for seed, job in zip(seeds, jobs, strict=True):
            print(json.dumps({"seed": seed, "job": job.id, **told(job)}), flush=True)


def told(job: Job) -> dict[str, object]:
    """How a job ended."""
    try:
        return {"files": {file.name: file.data[0] for file in job.result(120)}}
    except UnderpaintError as error:
        return {"ended": error.code.value}


if __name__ == "__main__":
    main(*sys.argv[1:])
