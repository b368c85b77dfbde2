"""The messages of the gallery: everything painted on this machine, for every host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from . import limits
from .records import Id

MAX_ORIGIN = 100
"""Letters of `origin` and `model` that are kept."""


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """A painting whose files the daemon still has. `title`: the prompt's beginning. `name`: its
    first image among the result files. `origin`: where it was asked for, as the host said in
    `submit`: in Blender the scene. `created`: Unix seconds. `pinned`: never removed for room."""

    job: Id
    kind: str
    created: float
    name: Id
    title: str = ""
    model: str = ""
    origin: str = ""
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class GalleryList:
    """Newest first. `words`: all of them occur in the prompt, whatever their case. `model`,
    `origin`: of just these; empty means all. `pinned`: only those that are. `before` pages: only
    paintings created before this Unix time."""

    words: str = ""
    model: str = ""
    origin: str = ""
    pinned: bool = False
    limit: Annotated[int, range(1, limits.MAX_JOBS_LISTED + 1)] = limits.MAX_JOBS_LISTED
    before: float | None = None


@dataclass(frozen=True, slots=True)
class Gallery:
    """`models`, `origins`: those of the whole gallery, to choose from; at most 50 of each."""

    pictures: tuple[PictureInfo, ...]
    models: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GalleryPin:
    """Keep a painting's files whatever room they take, or no longer."""

    job: Id
    pinned: bool = True


@dataclass(frozen=True, slots=True)
class GalleryPinOk:
    job: Id
    pinned: bool


@dataclass(frozen=True, slots=True)
class GalleryRemove:
    """Remove a job that has ended, and its files, for good."""

    job: Id


@dataclass(frozen=True, slots=True)
class GalleryRemoveOk:
    job: Id


@dataclass(frozen=True, slots=True)
class ThumbnailGet:
    """A small picture of a result image (`name` as in PictureInfo)."""

    job: Id
    name: Id


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One buffer: (h, w, 3) uint8 sRGB, at most `limits.THUMBNAIL_SIDE` a side."""

    job: Id
    name: Id
