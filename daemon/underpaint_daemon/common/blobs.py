"""Content-addressed buffers: `blobs/ab/<sha256>` in staging.

Used by the data thread only. A blob is in staging before its job is accepted, so that a
queued job survives the daemon; the worker maps the same file.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np

from underpaint.buffers import Array, BufferRef, Kind, check
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Request
from underpaint.tree import buffer_refs
from underpaint.wire import limits
from underpaint.wire.envelope import Buffer

from . import disk
from .staging import Staging

_MAX_REMEMBERED = 10_000
_DTYPES = frozenset({"uint8", "uint16", "int32", "float32"})


def blob_name(sha256: str) -> str:
    """Where a blob lies in staging; `sha256` is 64 hexadecimal digits (the wire's decoder saw
    to that)."""
    return f"blobs/{sha256[:2]}/{sha256}"


def mapped(ref: BufferRef, staging: Staging, mode: Literal["r", "c"]) -> Array:
    """A buffer's array, mapped and not copied; "c": what is written into it stays in this process.

    Raises RequestError: MISSING_BLOBS; BAD_BUFFER where it was cut short under its job, by a power
    cut or a full disk.
    """
    try:
        with staging.open(blob_name(ref.sha256)) as file:
            size = file.seek(0, os.SEEK_END)
            if size != ref.nbytes:
                raise _cut_short(ref, size)
            return np.memmap(file, ref.dtype, mode, shape=ref.shape).view(np.ndarray)
    except FileNotFoundError as error:
        raise RequestError(ErrorCode.MISSING_BLOBS, f"the job's {ref.kind} is gone") from error


def _cut_short(ref: BufferRef, size: int) -> RequestError:
    return RequestError(
        ErrorCode.BAD_BUFFER,
        f"the job's {ref.kind} is damaged: {size} of {ref.nbytes} bytes are left",
    )


class Blobs:
    """The blobs of a staging, and which of them are pinned by unfinished jobs."""

    def __init__(self, staging: Staging) -> None:
        self._staging = staging
        # What was hashed and checked in this life of the daemon. A file from before may be
        # damaged (a power cut), so it is read again at first use.
        self._good: set[BufferRef] = set()
        self._pins: dict[str, frozenset[str]] = {}
        self._hashers = ThreadPoolExecutor(2, "underpaint-hash")

    def missing(self, sha256s: Iterable[str]) -> tuple[str, ...]:
        """Those that are not here."""
        return tuple(sha for sha in sha256s if self._staging.size(blob_name(sha)) is None)

    def put(self, buffer: Buffer) -> str:
        """Check and keep one buffer; returns its sha256.

        Raises RequestError: BAD_BUFFER, TOO_LARGE, DISK_FULL.
        """
        ref = _ref(buffer)
        name = blob_name(ref.sha256)
        if ref in self._good and self._staging.size(name) is not None:
            return ref.sha256
        # Hashing and writing take about as long, and neither holds Python's lock.
        hashed = self._hashers.submit(lambda: hashlib.sha256(buffer.data).hexdigest())
        check(ref.kind, buffer.array())
        try:
            disk.write_whole(
                self._staging.place(ref.nbytes) / name,
                buffer.data,
                keep=lambda: hashed.result() == ref.sha256,
            )
        except OSError as error:
            raise disk.as_error(error, f"{ref.kind} buffer cannot be kept") from error
        if hashed.result() != ref.sha256:
            raise RequestError(ErrorCode.BAD_BUFFER, f"{ref.kind} does not match its sha256")
        self._good.add(ref)
        return ref.sha256

    def require(self, request: Request) -> list[BufferRef]:
        """Check that every buffer of a request is here and fits; returns those whose hash is
        still to be verified.

        Raises RequestError: MISSING_BLOBS (details: missing), BAD_BUFFER.
        """
        refs = buffer_refs(request)
        for ref in refs:
            _check_reference(ref)
        missing = [ref.sha256 for ref in refs if not self._fits(ref)]
        if missing:
            raise RequestError(
                ErrorCode.MISSING_BLOBS,
                f"{len(missing)} of {len(refs)} buffers are not here",
                details={"missing": missing},
            )
        return [ref for ref in refs if ref not in self._good]

    def verify(self, refs: Collection[BufferRef]) -> None:
        """Hash buffers that a client or an earlier daemon left in staging; wrong ones go.

        Raises RequestError(BAD_BUFFER).
        """
        problems = list(self._hashers.map(self._problem, refs))
        for ref, problem in zip(refs, problems, strict=True):
            if problem is None:
                self._good.add(ref)
            else:
                self._staging.remove(blob_name(ref.sha256))
        for problem in filter(None, problems):
            raise problem

    def pin(self, job: str, request: Request) -> None:
        """Keep a request's buffers until `unpin`."""
        self._pins[job] = frozenset(ref.sha256 for ref in buffer_refs(request))

    def unpin(self, job: str) -> None:
        self._pins.pop(job, None)

    def sweep(self, max_bytes: int) -> int:
        """Remove the blobs used longest ago until the folder fits; returns how many went."""
        if len(self._good) > _MAX_REMEMBERED:
            self._good.clear()  # forgotten ones are hashed again when they are used again
        pinned = frozenset().union(*self._pins.values())
        entries = sorted(
            (stat.st_mtime, stat.st_size, path)
            for path in self._staging.disk.glob("blobs/*/*")
            if (stat := _stat(path)) is not None
        )
        total, gone = sum(size for _, size, _ in entries), 0
        for _, size, path in entries:
            if total <= max_bytes:
                break
            if path.name not in pinned:
                with contextlib.suppress(OSError):  # Windows keeps what a worker has open
                    path.unlink()
                    total, gone = total - size, gone + 1
        return gone

    def _fits(self, ref: BufferRef) -> bool:
        name = blob_name(ref.sha256)
        size = self._staging.size(name)
        if size is None:
            return False
        if size != ref.nbytes:
            return self._refuse_size(ref, size)
        for root in self._staging.roots:
            with contextlib.suppress(OSError):
                os.utime(root / name)
        if ref not in self._good:
            check(ref.kind, mapped(ref, self._staging, "r"))
        return True

    def _problem(self, ref: BufferRef) -> RequestError | None:
        """What is wrong with a buffer. It is read, not mapped: whoever cuts a mapped file short
        ends the process that looks at it."""
        try:
            with self._staging.open(blob_name(ref.sha256)) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
        except OSError:
            digest, size = "", 0
        if size != ref.nbytes:
            return _cut_short(ref, size)
        if digest != ref.sha256:
            return RequestError(
                ErrorCode.BAD_BUFFER, "a buffer does not match its sha256; submit the job anew"
            )
        return None

    def _refuse_size(self, ref: BufferRef, size: int) -> bool:
        if any(known.sha256 == ref.sha256 for known in self._good):
            raise RequestError(
                ErrorCode.BAD_BUFFER,
                f"{ref.kind} of {ref.dtype} {ref.shape} needs {ref.nbytes} bytes, has {size}",
            )
        self._staging.remove(blob_name(ref.sha256))  # cut short by a crash: sent again
        return False


def _ref(buffer: Buffer) -> BufferRef:
    info = buffer.info
    if info.sha256 is None or info.kind not in Kind._value2member_map_:
        raise RequestError(ErrorCode.BAD_BUFFER, f"{info.kind!r} is not a kind of buffer")
    return BufferRef(info.sha256, Kind(info.kind), info.dtype, info.shape)


def _check_reference(ref: BufferRef) -> None:
    # A request's references are a client's words: the hash becomes a path.
    if not limits.SHA256.fullmatch(ref.sha256):
        raise RequestError(ErrorCode.BAD_BUFFER, f"{ref.sha256[:80]!r} is not a sha256")
    if ref.dtype not in _DTYPES:
        raise RequestError(ErrorCode.BAD_BUFFER, f"{ref.dtype[:20]!r} is not a buffer's dtype")
    sides = len(ref.shape)
    if not 1 <= sides <= limits.MAX_DIMENSIONS or not all(0 < n < 2**31 for n in ref.shape):
        raise RequestError(ErrorCode.BAD_BUFFER, f"{ref.shape[:8]} is not a shape")
    if math.prod(ref.shape) > limits.MAX_MESSAGE:
        raise RequestError(ErrorCode.TOO_LARGE, f"{ref.kind} of {ref.shape} is too large")


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
