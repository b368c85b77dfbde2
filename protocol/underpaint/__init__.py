"""Underpaint: what every host speaks. No torch, no bpy.

import underpaint

with underpaint.connect() as up:
    job = up.submit(underpaint.ImageRequest(prompt=underpaint.Prompt("a red clay vase")))
    for event in job:
        print(event)
    files = job.result()
"""

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
    Request,
    Sampler,
    Sampling,
    TextureRequest,
    TileAxes,
    TileImages,
    View,
)
from .texturing import TexturedFile, texture_file
from .tree import from_json, from_plain, request_digest, to_json, to_plain
from .version import VERSION as __version__
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
