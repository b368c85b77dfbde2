"""A request's choices and wildcards, settled by its seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import Prompt, Request, TextureRequest, UpscaleRequest
from underpaint.words import settle_choices

FOLDER = "wildcards"


def settled_words(request: Request, paths: Paths) -> Request:
    """The request with `{a|b}` and `__name__` settled in all its prompts.

    Wildcards are `wildcards/NAME.txt` in the data folder: a choice a line, `#` starts a remark.
    Raises RequestError: BAD_REQUEST, FILE.
    """
    seed = request.sampling.seed
    prompt = _settled(request.prompt, seed, paths)
    if isinstance(request, TextureRequest):
        objects = tuple(
            replace(one, prompt=_settled(one.prompt, seed, paths)) for one in request.object_prompts
        )
        return replace(request, prompt=prompt, object_prompts=objects)
    if isinstance(request, UpscaleRequest):
        return replace(request, prompt=prompt)
    regions = tuple(
        replace(one, prompt=_settled(one.prompt, seed, paths)) for one in request.regions
    )
    return replace(request, prompt=prompt, regions=regions)


def _settled(prompt: Prompt, seed: int, paths: Paths) -> Prompt:
    def lines(name: str) -> list[str]:
        return _lines(paths.data / FOLDER / f"{name}.txt")

    text, negative = (settle_choices(t, seed, lines) for t in (prompt.text, prompt.negative))
    return replace(prompt, text=text, negative=negative)


def _lines(file: Path) -> list[str]:
    try:
        rows = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise RequestError(
            ErrorCode.FILE,
            f"The wildcard file {file} cannot be read: {why}",
            hint="Write it, a choice a line, or put a backslash before the underscores.",
        ) from error
    return [row.strip() for row in rows if row.strip() and not row.strip().startswith("#")]
