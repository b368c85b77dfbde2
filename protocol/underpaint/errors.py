"""The one error tree.

Every failure a user can meet is an `UnderpaintError` with a code from `ErrorCode`: a stable
string that travels on the wire, a message that says what and where, and a hint that says how to
mend it.

UnderpaintError
├── ProtocolError      bytes on the wire that are not a well-formed message
├── RequestError       a request that cannot be carried out as it is written
├── ConnectionLost     no daemon, or the daemon went away
└── JobFailed          an accepted job that ended in failure
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_FOR_A_TERMINAL = re.compile(
    r" \((?:[^()]|\([^()]*\))*(?:--|`|UNDERPAINT_|\bunderpaint [a-z])(?:[^()]|\([^()]*\))*\)"
)


class ErrorCode(StrEnum):
    """Stable codes; clients may match on them."""

    PROTOCOL = "protocol"
    PROTOCOL_VERSION = "protocol_version"
    HELLO_REQUIRED = "hello_required"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    BAD_REQUEST = "bad_request"
    BAD_BUFFER = "bad_buffer"
    MISSING_BLOBS = "missing_blobs"
    JOB_UNKNOWN = "job_unknown"
    JOB_ID_REUSED = "job_id_reused"
    RESULT_UNKNOWN = "result_unknown"
    UNKNOWN_SAMPLER = "unknown_sampler"
    MODEL_MISSING = "model_missing"
    MODEL_BROKEN = "model_broken"
    CONTROL_MISSING = "control_missing"
    LORA_MISSING = "lora_missing"
    DETECTOR_MISSING = "detector_missing"
    BAD_MESH = "bad_mesh"
    OUT_OF_MEMORY = "out_of_memory"
    DISK_FULL = "disk_full"
    NOT_SAVED = "not_saved"
    WORKER_LOST = "worker_lost"
    CANCELLED = "cancelled"
    DAEMON_ABSENT = "daemon_absent"
    DAEMON_LOST = "daemon_lost"
    DAEMON_START_FAILED = "daemon_start_failed"
    INSTALL_FAILED = "install_failed"
    NOT_AUTHORISED = "not_authorised"
    ACCESS_DENIED = "access_denied"
    TIMEOUT = "timeout"
    BLENDER_MISSING = "blender_missing"
    CAPTURE_FAILED = "capture_failed"
    FILE = "file"
    INTERNAL = "internal"


class UnderpaintError(Exception):
    """A failure with its fix.

    Attributes: `code` (stable), `message` (what and where), `hint` (how to mend it, in words that
    are good anywhere), `retryable` (the same request may succeed later), `details` (JSON-like
    facts, e.g. missing blob hashes).
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        hint: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        entry = REGISTRY[code]
        self.code = code
        self.message = message
        self.hint = entry.hint if hint is None else hint
        self.retryable = entry.retryable
        self.details: Mapping[str, Any] = dict(details or {})

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})"

    @property
    def terminal_hint(self) -> str:
        """The hint for somebody at a terminal: with the command, where one helps."""
        entry = REGISTRY[self.code]
        return entry.terminal if entry.terminal and self.hint == entry.hint else self.hint

    @property
    def panel_hint(self) -> str:
        """The hint for somebody before buttons: without what stands in brackets for a terminal."""
        return _FOR_A_TERMINAL.sub("", self.hint)

    def to_dict(self) -> dict[str, Any]:
        """The wire form: code, message, hint, retryable, details."""
        return {
            "code": self.code.value,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
            "details": dict(self.details),
        }


class ProtocolError(UnderpaintError):
    """Bytes that are not a well-formed message."""

    def __init__(
        self,
        message: str,
        *,
        code: ErrorCode = ErrorCode.PROTOCOL,
        hint: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, message, hint=hint, details=details)


class RequestError(UnderpaintError):
    """A request that cannot be carried out as written."""


class ConnectionLost(UnderpaintError):
    """There is no daemon, or it went away."""


class JobFailed(UnderpaintError):
    """An accepted job ended in failure."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """`kind`: the class of every error of the code, here and from the wire. `terminal`: the hint
    where commands can be typed, when it is another."""

    kind: type[UnderpaintError]
    hint: str
    retryable: bool = False
    terminal: str = ""


def why(error: BaseException) -> str:
    """What an error of the system says, without its number and the path, which is named beside
    it."""
    told = error.strerror if isinstance(error, OSError) else None
    return told or str(error)


REGISTRY: Mapping[ErrorCode, _Entry] = {
    ErrorCode.PROTOCOL: _Entry(
        ProtocolError, "Both sides must speak the Underpaint protocol; update the older."
    ),
    ErrorCode.PROTOCOL_VERSION: _Entry(
        ProtocolError, "Update add-on and daemon to the same release."
    ),
    ErrorCode.HELLO_REQUIRED: _Entry(ProtocolError, "Send hello before any other message."),
    ErrorCode.UNSUPPORTED: _Entry(
        ProtocolError, "Update the daemon; this message is newer than it."
    ),
    ErrorCode.TOO_LARGE: _Entry(
        RequestError, "Lower the resolution; images may have up to 67 million pixels."
    ),
    ErrorCode.BAD_REQUEST: _Entry(
        RequestError,
        "Correct the field that the message names.",
        terminal="Correct the option that the message names.",
    ),
    ErrorCode.BAD_BUFFER: _Entry(
        RequestError, "Capture the view again, or correct the array's shape and dtype."
    ),
    ErrorCode.MISSING_BLOBS: _Entry(RequestError, "Send the buffers again.", retryable=True),
    ErrorCode.JOB_UNKNOWN: _Entry(
        RequestError,
        "It was removed, or belongs to another daemon; look into the list of jobs.",
        terminal="List the jobs with `underpaint jobs`.",
    ),
    ErrorCode.JOB_ID_REUSED: _Entry(RequestError, "Use a new job id for a different request."),
    ErrorCode.RESULT_UNKNOWN: _Entry(
        RequestError, "List the job's results; old ones are removed after a while."
    ),
    ErrorCode.UNKNOWN_SAMPLER: _Entry(
        RequestError,
        "Choose one of the samplers in the list.",
        terminal="Choose one that `underpaint models samplers` lists.",
    ),
    ErrorCode.MODEL_MISSING: _Entry(
        RequestError,
        "Choose one of the models in the list.",
        terminal="List the models with `underpaint models list`.",
    ),
    ErrorCode.MODEL_BROKEN: _Entry(
        RequestError, "Give a diffusers-format folder with safetensors weights."
    ),
    ErrorCode.CONTROL_MISSING: _Entry(
        RequestError, "Choose a control the model has, or give a ControlNet."
    ),
    ErrorCode.LORA_MISSING: _Entry(
        RequestError, "Give a .safetensors LoRA file made for this model."
    ),
    ErrorCode.DETECTOR_MISSING: _Entry(
        RequestError, "Use canny or lineart, or give the detector's weights."
    ),
    ErrorCode.BAD_MESH: _Entry(
        RequestError, "Mend the mesh where the message says, then try again."
    ),
    ErrorCode.OUT_OF_MEMORY: _Entry(
        JobFailed, "Lower resolution or batch, or close GPU programs.", retryable=True
    ),
    ErrorCode.DISK_FULL: _Entry(
        RequestError,
        "Free disk space, or move Underpaint's data to another disk.",
        retryable=True,
        terminal="Free disk space, or set UNDERPAINT_DATA to another disk.",
    ),
    ErrorCode.NOT_SAVED: _Entry(
        RequestError,
        "Nothing is lost: mend the folder, and move the files from where they are kept.",
    ),
    ErrorCode.WORKER_LOST: _Entry(
        JobFailed,
        "Try again; if it repeats, lower the resolution, or look into the log.",
        retryable=True,
        terminal="Try again; if it repeats, lower the resolution, or see `underpaint daemon logs`.",
    ),
    ErrorCode.CANCELLED: _Entry(JobFailed, "Nothing to mend: the job was cancelled."),
    ErrorCode.DAEMON_ABSENT: _Entry(
        ConnectionLost,
        "Start the daemon.",
        retryable=True,
        terminal="Start it with `underpaint daemon start`.",
    ),
    ErrorCode.DAEMON_LOST: _Entry(
        ConnectionLost, "Start the daemon again; accepted jobs are kept.", retryable=True
    ),
    ErrorCode.DAEMON_START_FAILED: _Entry(
        ConnectionLost,
        "Look into the log; installing the daemon again mends most of it.",
        terminal="Run `underpaint doctor`; it names the fix.",
    ),
    ErrorCode.INSTALL_FAILED: _Entry(
        RequestError, "Press Install again: finished steps are kept.", retryable=True
    ),
    ErrorCode.ACCESS_DENIED: _Entry(
        RequestError, "Accept the model's licence, or give a token that may read it."
    ),
    ErrorCode.NOT_AUTHORISED: _Entry(
        ConnectionLost, "Use the connection file of the running daemon."
    ),
    ErrorCode.TIMEOUT: _Entry(
        ConnectionLost,
        "Try again; the daemon may be busy.",
        retryable=True,
        terminal="Try again; `underpaint daemon status` tells if it is busy.",
    ),
    ErrorCode.BLENDER_MISSING: _Entry(
        RequestError,
        "Install Blender 4.2 or newer (or say where it is in UNDERPAINT_BLENDER).",
        terminal="Install Blender 4.2 or newer, or set UNDERPAINT_BLENDER to it; "
        "`underpaint doctor` tells where it was looked for.",
    ),
    ErrorCode.CAPTURE_FAILED: _Entry(
        RequestError, "Check that the scene has a camera and visible objects."
    ),
    ErrorCode.FILE: _Entry(
        RequestError, "Check that the file exists, is readable, and is of a known format."
    ),
    ErrorCode.INTERNAL: _Entry(
        JobFailed,
        "This is a bug: please report it with the log.",
        terminal="This is a bug: please report it with `underpaint daemon logs`.",
    ),
}


def error_from_dict(data: Mapping[str, Any]) -> UnderpaintError:
    """The error a peer sent. Unknown codes (of a newer peer) become INTERNAL, message kept."""
    raw = str(data.get("code", ""))
    code = ErrorCode(raw) if raw in ErrorCode._value2member_map_ else ErrorCode.INTERNAL
    message, hint = str(data.get("message", raw)), data.get("hint")
    details = data.get("details")
    known = details if isinstance(details, Mapping) else None
    fix = str(hint) if hint is not None else None
    kind = REGISTRY[code].kind
    if issubclass(kind, ProtocolError):
        return kind(message, code=code, hint=fix, details=known)
    return kind(code, message, hint=fix, details=known)
