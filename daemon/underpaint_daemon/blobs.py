"""Content-addressed buffers on disk: `blobs/ab/<sha256>`.

Used by the data thread only. A blob is on disk before its job is accepted, so that a queued job
survives the daemon; the worker reads it from there (that is, from the kernel's page cache).
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np

from underpaint import limits
from underpaint.buffers import BufferRef, Kind, check
from underpaint.envelope import Buffer
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Request
from underpaint.tree import buffer_refs

from . import disk

_DTYPES = frozenset({"uint8", "uint16", "int32", "float32"})


def blob_path(root: Path, sha256: str) -> Path:
    """Where a blob lies; `sha256` is 64 hexadecimal digits (the wire's decoder saw to that)."""
    return root / sha256[:2] / sha256


class Blobs:
    """The blob folder, and which blobs are pinned by unfinished jobs."""

    def __init__(self, root: Path) -> None:
        self._root = root
        # What was hashed and checked in this life of the daemon. A file from before may be
        # damaged (a power cut), so it is read again at first use.
        self._good: set[BufferRef] = set()
        self._pins: dict[str, frozenset[str]] = {}

    def missing(self, sha256s: Iterable[str]) -> tuple[str, ...]:
        """Those that are not here."""
        return tuple(sha for sha in sha256s if not blob_path(self._root, sha).is_file())

    def put(self, buffer: Buffer) -> str:
        """Check and keep one buffer; returns its sha256.

        Raises RequestError: BAD_BUFFER, TOO_LARGE, DISK_FULL.
        """
        ref = _ref(buffer)
        if ref in self._good and blob_path(self._root, ref.sha256).is_file():
            return ref.sha256
        check(ref.kind, buffer.array())
        if hashlib.sha256(buffer.data).hexdigest() != ref.sha256:
            raise RequestError(ErrorCode.BAD_BUFFER, f"{ref.kind} does not match its sha256")
        try:
            disk.write_whole(blob_path(self._root, ref.sha256), buffer.data)
        except OSError as error:
            raise disk.as_error(error, f"{ref.kind} buffer cannot be kept") from error
        self._good.add(ref)
        return ref.sha256

    def require(self, request: Request) -> frozenset[str]:
        """Check that every buffer of a request is here and fits; returns their hashes.

        Raises RequestError: MISSING_BLOBS (details: missing), BAD_BUFFER.
        """
        refs = buffer_refs(request)
        for ref in refs:
            _check_reference(ref)
        missing = [ref.sha256 for ref in refs if not self._usable(ref)]
        if missing:
            raise RequestError(
                ErrorCode.MISSING_BLOBS,
                f"{len(missing)} of {len(refs)} buffers are not here",
                details={"missing": missing},
            )
        return frozenset(ref.sha256 for ref in refs)

    def pin(self, job: str, sha256s: Collection[str]) -> None:
        """Keep these until `unpin`."""
        self._pins[job] = frozenset(sha256s)

    def unpin(self, job: str) -> None:
        self._pins.pop(job, None)

    def sweep(self, max_bytes: int) -> int:
        """Remove the blobs used longest ago until the folder fits; returns how many went."""
        pinned = frozenset().union(*self._pins.values())
        entries = sorted(
            (stat.st_mtime, stat.st_size, path)
            for path in self._root.glob("*/*")
            if (stat := _stat(path)) is not None
        )
        total, gone = sum(size for _, size, _ in entries), 0
        for _, size, path in entries:
            if total <= max_bytes:
                break
            if path.name not in pinned:
                path.unlink(missing_ok=True)
                total, gone = total - size, gone + 1
        return gone

    def _usable(self, ref: BufferRef) -> bool:
        path = blob_path(self._root, ref.sha256)
        try:
            if path.stat().st_size != ref.nbytes:
                return self._refuse_size(ref, path)
            os.utime(path)
        except FileNotFoundError:
            return False
        if ref not in self._good:
            array = np.fromfile(path, dtype=ref.dtype).reshape(ref.shape)
            if hashlib.sha256(array.data).hexdigest() != ref.sha256:
                path.unlink(missing_ok=True)  # damaged: the client sends it again
                return False
            check(ref.kind, array)
            self._good.add(ref)
        return True

    def _refuse_size(self, ref: BufferRef, path: Path) -> bool:
        nbytes = path.stat().st_size
        if any(known.sha256 == ref.sha256 for known in self._good):
            raise RequestError(
                ErrorCode.BAD_BUFFER,
                f"{ref.kind} of {ref.dtype} {ref.shape} needs {ref.nbytes} bytes, has {nbytes}",
            )
        path.unlink(missing_ok=True)  # cut short by a crash: the client sends it again
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
