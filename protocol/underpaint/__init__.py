"""Underpaint: what every host speaks. No torch, no bpy.

import underpaint

with underpaint.connect() as up:
    job = up.submit(underpaint.ImageRequest(prompt=underpaint.Prompt("a red clay vase")))
    for event in job:
        print(event)
    files = job.result()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import VERSION as __version__

if TYPE_CHECKING:
    from .buffers import BufferRef, Buffers, Kind
    from .cameras import Camera, look_at, orthographic, perspective, project, unproject
    from .client import Client, connect
    from .conversation.state import ClientState
    from .errors import (
        ConnectionLost,
        ErrorCode,
        JobFailed,
        ProtocolError,
        RequestError,
        UnderpaintError,
    )
    from .events import (
        Done,
        Failed,
        JobEvent,
        Preview,
        Progress,
        ResultFile,
        StateChanged,
        Warning_,
    )
    from .job import Job
    from .launcher import ensure_daemon
    from .paths import Paths, user_paths
    from .requests import (
        STARTER_MODEL,
        Control,
        ControlKind,
        ImageRequest,
        InpaintRequest,
        Lora,
        MeshRef,
        Method,
        Mirror,
        ObjectPrompt,
        Pattern,
        Pbr,
        Prompt,
        Reference,
        ReferenceRole,
        Refiner,
        RegionPrompt,
        Request,
        Sampler,
        Sampling,
        TextureRequest,
        TileAxes,
        TileImages,
        UpscaleRequest,
        View,
    )
    from .texturing import TexturedFile, texture_file
    from .tree import from_json, from_plain, request_digest, to_json, to_plain
    from .wire.messages import FileInfo, JobInfo, JobState, ModelInfo, StatusOk

__all__ = [
    "STARTER_MODEL",
    "BufferRef",
    "Buffers",
    "Camera",
    "Client",
    "ClientState",
    "ConnectionLost",
    "Control",
    "ControlKind",
    "Done",
    "ErrorCode",
    "Failed",
    "FileInfo",
    "ImageRequest",
    "InpaintRequest",
    "Job",
    "JobEvent",
    "JobFailed",
    "JobInfo",
    "JobState",
    "Kind",
    "Lora",
    "MeshRef",
    "Method",
    "Mirror",
    "ModelInfo",
    "ObjectPrompt",
    "Paths",
    "Pattern",
    "Pbr",
    "Preview",
    "Progress",
    "Prompt",
    "ProtocolError",
    "Reference",
    "ReferenceRole",
    "Refiner",
    "RegionPrompt",
    "Request",
    "RequestError",
    "ResultFile",
    "Sampler",
    "Sampling",
    "StateChanged",
    "StatusOk",
    "TextureRequest",
    "TexturedFile",
    "TileAxes",
    "TileImages",
    "UnderpaintError",
    "UpscaleRequest",
    "View",
    "Warning_",
    "__version__",
    "connect",
    "ensure_daemon",
    "from_json",
    "from_plain",
    "look_at",
    "orthographic",
    "perspective",
    "project",
    "request_digest",
    "texture_file",
    "to_json",
    "to_plain",
    "unproject",
    "user_paths",
]

# Nothing is loaded before it is used: a command that only reads a mesh needs no sockets.
_HOMES = {
    "buffers": ("BufferRef", "Buffers", "Kind"),
    "cameras": ("Camera", "look_at", "orthographic", "perspective", "project", "unproject"),
    "client": ("Client", "connect"),
    "conversation.state": ("ClientState",),
    "errors": (
        "ConnectionLost",
        "ErrorCode",
        "JobFailed",
        "ProtocolError",
        "RequestError",
        "UnderpaintError",
    ),
    "events": (
        "Done",
        "Failed",
        "JobEvent",
        "Preview",
        "Progress",
        "ResultFile",
        "StateChanged",
        "Warning_",
    ),
    "job": ("Job",),
    "launcher": ("ensure_daemon",),
    "paths": ("Paths", "user_paths"),
    "requests": (
        "STARTER_MODEL",
        "Control",
        "ControlKind",
        "ImageRequest",
        "InpaintRequest",
        "Lora",
        "MeshRef",
        "Method",
        "Mirror",
        "ObjectPrompt",
        "Pattern",
        "Pbr",
        "Prompt",
        "Reference",
        "ReferenceRole",
        "Refiner",
        "RegionPrompt",
        "Request",
        "Sampler",
        "Sampling",
        "TextureRequest",
        "TileAxes",
        "TileImages",
        "UpscaleRequest",
        "View",
    ),
    "texturing": ("TexturedFile", "texture_file"),
    "tree": ("from_json", "from_plain", "request_digest", "to_json", "to_plain"),
    "wire.messages": ("FileInfo", "JobInfo", "JobState", "ModelInfo", "StatusOk"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _HOME_OF.get(name, name if name in _HOMES else None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f".{module}", __name__)
    return home if name in _HOMES else getattr(home, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
