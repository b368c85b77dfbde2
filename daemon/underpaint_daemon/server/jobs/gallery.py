"""The gallery: the paintings whose files are here, found by words, model and origin."""

from __future__ import annotations

from underpaint.wire.messages import Gallery, GalleryList, PictureInfo

from .rows import JobRow
from .store import Store

_SHOWN = (
    """state = 'done' AND removed = 0 AND files LIKE '%"media": "image/%'"""
    """ AND files NOT LIKE '%"name": "control\\_%' ESCAPE '\\'"""  # no paintings
)
_MOST = 50
_ESCAPE = "\\"


def gallery(store: Store, asked: GalleryList) -> Gallery:
    """What `asked` finds."""
    pictures = tuple(_picture(job) for job in store.shown(*_condition(asked)))
    models, origins = (store.distinct(name, _SHOWN, _MOST) for name in ("model", "origin"))
    return Gallery(pictures, tuple(models), tuple(origins))


def _condition(asked: GalleryList) -> tuple[str, list[str | float]]:
    parts, values = [_SHOWN], list[str | float]()
    for word in asked.words.casefold().split():
        parts.append(f"words LIKE ? ESCAPE '{_ESCAPE}'")
        values.append(f"%{_literal(word)}%")
    for name, value in (("model", asked.model), ("origin", asked.origin)):
        if value:
            parts.append(f"{name} = ?")
            values.append(value)
    if asked.pinned:
        parts.append("pinned = 1")
    if asked.before is not None:
        parts.append("created < ?")
        values.append(asked.before)
    where = " AND ".join(parts)
    return f"WHERE {where} ORDER BY number DESC LIMIT ?", [*values, asked.limit]


def _literal(word: str) -> str:
    for special in (_ESCAPE, "%", "_"):
        word = word.replace(special, _ESCAPE + special)
    return word


def _picture(job: JobRow) -> PictureInfo:
    return PictureInfo(
        job=job.id,
        kind=job.kind,
        created=job.created,
        name=next(file.name for file in job.files if file.media.startswith("image/")),
        title=job.title,
        model=job.model,
        origin=job.origin,
        pinned=job.pinned,
    )
