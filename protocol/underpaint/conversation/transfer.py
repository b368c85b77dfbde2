"""Bulk on `data`: buffers out, result files back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import Future

import numpy as np
import numpy.typing as npt

from ..buffers import BufferRef, Buffers
from ..errors import ErrorCode, JobFailed, ProtocolError, RequestError
from ..events import ResultFile
from ..requests import Request
from ..tree import buffer_refs, to_plain
from ..wire import limits
from ..wire.envelope import Buffer, array_buffer
from ..wire.message_types import Channel
from ..wire.messages import (
    Accepted,
    BlobHave,
    BlobPut,
    FileInfo,
    Missing,
    ResultAck,
    ResultFetch,
    ResultManifest,
    ResultPart,
    Results,
    Submit,
    Thumbnail,
    ThumbnailGet,
)
from ..wire.shared import read_result, write_buffers
from .exchange import ANSWER_S, SLOWEST_BYTES_S, Exchange, expect, raise_refusal
from .outstanding import Reply

_ASK_FIRST_ABOVE = 64 * limits.KIB
"""Asking costs a fraction of a millisecond: less than sending so many bytes in vain."""


_TOGETHER = limits.MIB
"""Up to so many bytes go in one message; larger buffers go alone."""


class Transfer:
    """What one client has sent to the present daemon, and how it fetches. Thread-safe."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._known: frozenset[str] = frozenset()
        self._shared: frozenset[str] = frozenset()

    def _know(self, refs: Iterable[BufferRef]) -> None:
        """The daemon has stored these."""
        self._known |= {ref.sha256 for ref in refs}

    def forget_known(self) -> bool:
        """Assume nothing of the daemon's store. Whether anything was assumed."""
        assumed, self._known = bool(self._known), frozenset()
        return assumed

    def submit(
        self, job: str, request: Request, buffers: Buffers, origin: str | None = None
    ) -> Accepted:
        """Send what the daemon lacks, then the request; again when the daemon went away meanwhile.

        `origin`: as in the message. Raises RequestError, ConnectionLost.
        """
        submit, refs = Submit(job, to_plain(request), origin), buffer_refs(request)
        try:
            return self._exchange.persist(lambda: self._offer(submit, refs, buffers))
        except ProtocolError as error:
            if error.code is not ErrorCode.TOO_LARGE:
                raise
            told = f"the request has too many words to send: {error.message}"
            raise RequestError(ErrorCode.TOO_LARGE, told, hint="Shorten the prompt.") from error

    def _offer(self, submit: Submit, refs: tuple[BufferRef, ...], buffers: Buffers) -> Accepted:
        """Sending it twice does no harm."""
        sent, last = self._put(refs, buffers)
        channel = Channel.DATA if last else Channel.CONTROL
        timeout = ANSWER_S + sum(ref.nbytes for ref in refs) / SLOWEST_BYTES_S
        try:
            reply = self._exchange.once(channel, submit, last, timeout)
        except RequestError as error:
            if error.code is not ErrorCode.MISSING_BLOBS:
                raise
            raise_refusal(sent)
            # The daemon has let go of a buffer that it had before: send all of them.
            if not self.forget_known():
                raise
            return self._offer(submit, refs, buffers)
        self._know(refs)
        return expect(Accepted, reply)

    def _put(
        self, refs: Iterable[BufferRef], buffers: Buffers
    ) -> tuple[list[Future[Reply]], tuple[Buffer, ...]]:
        """Send what the daemon lacks, save the last messageful, which is returned.

        That one can ride with the request itself. Nothing is waited for: the daemon checks a
        buffer while the next is on its way. The futures tell of refusals.
        """
        here = [ref for ref in refs if ref.sha256 in buffers]
        # What can be shared is shared without asking: writing it costs less than the answer.
        self._share([array_buffer(r, buffers[r.sha256]) for r in here if self._may_share(r)])
        lacking = self._lacking(here, buffers)
        *first, last = batches(lacking) or [()]
        return [self._exchange.post(Channel.DATA, BlobPut(), batch) for batch in first], last

    def _lacking(self, refs: list[BufferRef], buffers: Buffers) -> list[Buffer]:
        unknown = {ref.sha256: ref for ref in refs if ref.sha256 not in self._known}
        if sum(ref.nbytes for ref in unknown.values()) > _ASK_FIRST_ABOVE:
            reply = expect(
                Missing, self._exchange.once(Channel.DATA, BlobHave(tuple(unknown)), (), None)
            )
            unknown = {key: unknown[key] for key in reply.sha256s if key in unknown}
        return [array_buffer(ref, buffers[key]) for key, ref in unknown.items()]

    def _may_share(self, ref: BufferRef) -> bool:
        # Once each: if the daemon does not find it in the shared folder, it gets it by wire.
        return ref.sha256 not in self._known | self._shared

    def _share(self, buffers: list[Buffer]) -> None:
        """Leave buffers in the shared folder, if there is one."""
        folder = self._exchange.shared_folder
        if folder is not None and sum(b.info.nbytes for b in buffers) > _ASK_FIRST_ABOVE:
            written = write_buffers(folder, buffers)
            self._shared |= written
            self._known |= written

    def thumbnail(self, ask: ThumbnailGet) -> npt.NDArray[np.uint8]:
        """The thumbnail of a result: (h, w, 3) uint8. Raises RequestError, ConnectionLost."""
        reply = self._exchange.persist(lambda: self._exchange.once(Channel.DATA, ask))
        expect(Thumbnail, reply)
        return reply.buffers[0].array()

    def fetch(self, job: str, timeout: float | None) -> list[ResultFile]:
        """All result files of a job, checked against their hashes, then acknowledged."""
        manifest = expect(
            Results, self._exchange.once(Channel.DATA, ResultManifest(job), timeout=timeout)
        )
        files = [self._fetch_file(job, info, timeout) for info in manifest.files]
        # Nobody needs to wait for the answer: it only lets the daemon make room.
        self._exchange.post(Channel.DATA, ResultAck(job))
        return files

    def _fetch_file(self, job: str, info: FileInfo, timeout: float | None) -> ResultFile:
        folder = self._exchange.shared_folder
        data = None if folder is None else read_result(folder, job, info.name)
        if data is None or not _matches(data, info):
            data = self._fetch_by_wire(job, info, timeout)
            if not _matches(data, info):
                raise _damaged(job, info.name, "its hash does not match")
        return ResultFile(info.name, info.media, data, info.facts)

    def _fetch_by_wire(self, job: str, info: FileInfo, timeout: float | None) -> bytes:
        data = b""
        while len(data) < info.nbytes:
            fetch = ResultFetch(job, info.name, len(data))
            reply = self._exchange.once(Channel.DATA, fetch, timeout=timeout)
            part = expect(ResultPart, reply)
            if part.offset != len(data) or not reply.buffers or not len(reply.buffers[0].data):
                raise _damaged(job, info.name, "a part does not follow the last")
            data += bytes(reply.buffers[0].data)
        return data


def batches(buffers: list[Buffer]) -> list[tuple[Buffer, ...]]:
    """Buffers in messages: few small ones together, large ones each alone."""
    out: list[tuple[Buffer, ...]] = []
    room = 0
    for buffer in buffers:
        if not out or len(out[-1]) == limits.MAX_BUFFERS or buffer.info.nbytes > room:
            out.append(())
            room = _TOGETHER
        out[-1] = (*out[-1], buffer)
        room -= buffer.info.nbytes
    return out


def _matches(data: bytes, info: FileInfo) -> bool:
    return len(data) == info.nbytes and hashlib.sha256(data).hexdigest() == info.sha256


def _damaged(job: str, name: str, why: str) -> JobFailed:
    return JobFailed(
        ErrorCode.INTERNAL, f"{name} of job {job} arrived damaged: {why}", hint="Fetch it again."
    )
