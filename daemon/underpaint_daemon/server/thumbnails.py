"""Makes thumbnails in a thread of its own: reading a large picture takes longer than a ping may."""

from __future__ import annotations

import io
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from underpaint.buffers import BufferRef, Kind, digest
from underpaint.errors import UnderpaintError
from underpaint.wire import limits
from underpaint.wire.envelope import Buffer, array_buffer
from underpaint.wire.messages import Body, Error, Thumbnail, ThumbnailGet

from .boundary import guarded
from .jobs.results import Folders, unknown_result
from .thread_messages import Route

_NAME = "thumbnails"
_KEPT = 256


class Thumbnailer:
    """`answer` is called in this thread, with each route that asked, its answer and a buffer."""

    def __init__(self, folders: Folders, answer: Callable[..., None]) -> None:
        self._folders = folders
        self._answer = answer
        self._asked: queue.SimpleQueue[tuple[Route, ThumbnailGet]] = queue.SimpleQueue()
        self._made: OrderedDict[tuple[str, str], Buffer] = OrderedDict()

    def start(self) -> None:
        """Begin to answer. The thread never holds up the end of the process."""
        threading.Thread(target=self._run, name=f"underpaint-{_NAME}", daemon=True).start()

    def ask(self, route: Route, body: ThumbnailGet) -> None:
        self._asked.put((route, body))

    def _run(self) -> None:
        while True:
            guarded(_NAME, partial(self._serve, *self._asked.get()))

    def _serve(self, route: Route, body: ThumbnailGet) -> None:
        said: Body = Thumbnail(body.job, body.name)
        try:
            self._answer(route, said, self._thumbnail(body.job, body.name))
        except UnderpaintError as error:
            self._answer(route, Error(error.to_dict()))

    def _thumbnail(self, job: str, name: str) -> Buffer:
        key = (job, name)
        if key not in self._made:
            data, _total = self._folders.read(job, name, 0, None)
            self._made[key] = _buffer(_small(bytes(data), job, name))
        self._made.move_to_end(key)
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return self._made[key]


def _small(data: bytes, job: str, name: str) -> npt.NDArray[np.uint8]:
    """(h, w, 3) uint8. Raises RequestError(RESULT_UNKNOWN) for what is no picture."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            small = image.convert("RGB")
            small.thumbnail((limits.THUMBNAIL_SIDE, limits.THUMBNAIL_SIDE))
            return np.array(small, np.uint8)
    except (UnidentifiedImageError, OSError) as error:
        raise unknown_result(job, f"thumbnail of {name}") from error


def _buffer(image: npt.NDArray[np.uint8]) -> Buffer:
    ref = BufferRef(digest(image), Kind.COLOR, "uint8", tuple(image.shape))
    return array_buffer(ref, image)
