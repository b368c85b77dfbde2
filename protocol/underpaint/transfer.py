"""Bulk on `data`: buffers out, result files back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from . import limits
from .buffers import BufferRef, Buffers
from .envelope import Buffer, array_buffer
from .errors import ErrorCode, JobFailed
from .events import ResultFile
from .exchange import Exchange, expect
from .messages import (
    AckOk,
    BlobHave,
    BlobOk,
    BlobPut,
    Channel,
    FileInfo,
    Missing,
    ResultAck,
    ResultFetch,
    ResultManifest,
    ResultPart,
    Results,
)

_ASK_FIRST_ABOVE = 64 * limits.KIB
"""Asking costs a fraction of a millisecond: less than sending so many bytes in vain."""


class Transfer:
    """What one client has sent to the present daemon, and how it fetches. Thread-safe."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._known: frozenset[str] = frozenset()

    def know(self, refs: Iterable[BufferRef]) -> None:
        """The daemon has stored these."""
        self._known |= {ref.sha256 for ref in refs}

    def forget_known(self) -> bool:
        """Assume nothing of the daemon's store. Whether anything was assumed."""
        assumed, self._known = bool(self._known), frozenset()
        return assumed

    def put_all_but_last(self, refs: Iterable[BufferRef], buffers: Buffers) -> tuple[Buffer, ...]:
        """Send what the daemon lacks, save the last messageful, which is returned.

        It can ride with the request itself, so that one view costs one message.
        """
        lacking = self._lacking([r for r in refs if r.sha256 in buffers], buffers)
        *first, last = batches(lacking) or [()]
        for batch in first:
            expect(BlobOk, self._exchange.once(Channel.DATA, BlobPut(), batch, None))
        return last

    def _lacking(self, refs: list[BufferRef], buffers: Buffers) -> list[Buffer]:
        unknown = {ref.sha256: ref for ref in refs if ref.sha256 not in self._known}
        if sum(ref.nbytes for ref in unknown.values()) > _ASK_FIRST_ABOVE:
            reply = expect(
                Missing, self._exchange.once(Channel.DATA, BlobHave(tuple(unknown)), (), None)
            )
            unknown = {key: unknown[key] for key in reply.sha256s if key in unknown}
        return [array_buffer(ref, buffers[key]) for key, ref in unknown.items()]

    def fetch(self, job: str, timeout: float | None) -> list[ResultFile]:
        """All result files of a job, checked against their hashes, then acknowledged."""
        manifest = expect(
            Results, self._exchange.once(Channel.DATA, ResultManifest(job), (), timeout)
        )
        files = [self._fetch_file(job, info, timeout) for info in manifest.files]
        expect(AckOk, self._exchange.once(Channel.DATA, ResultAck(job), (), timeout))
        return files

    def _fetch_file(self, job: str, info: FileInfo, timeout: float | None) -> ResultFile:
        data = bytearray()
        while len(data) < info.nbytes:
            reply = self._exchange.once(
                Channel.DATA, ResultFetch(job, info.name, len(data)), (), timeout
            )
            part = expect(ResultPart, reply)
            if part.offset != len(data) or not reply.buffers or not len(reply.buffers[0].data):
                raise _damaged(job, info.name, "a part does not follow the last")
            data += reply.buffers[0].data
        if hashlib.sha256(data).hexdigest() != info.sha256:
            raise _damaged(job, info.name, "its hash does not match")
        return ResultFile(info.name, info.media, bytes(data), info.facts)


def batches(buffers: list[Buffer]) -> list[tuple[Buffer, ...]]:
    """Buffers in messages that keep within the limits of count and size."""
    out: list[tuple[Buffer, ...]] = []
    room = 0
    for buffer in buffers:
        if not out or len(out[-1]) == limits.MAX_BUFFERS or buffer.info.nbytes > room:
            out.append(())
            room = limits.MAX_DATA_FRAME
        out[-1] = (*out[-1], buffer)
        room -= buffer.info.nbytes
    return out


def _damaged(job: str, name: str, why: str) -> JobFailed:
    return JobFailed(
        ErrorCode.INTERNAL, f"{name} of job {job} arrived damaged: {why}", hint="Fetch it again."
    )
