"""`import underpaint`: the names that scripts rely on, and what importing costs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import typing
from pathlib import Path

import underpaint

NAMES = [
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
    "Reference",
    "ReferenceRole",
    "Refiner",
    "RegionPrompt",
    "ProtocolError",
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


def test_the_public_names_are_these():
    assert sorted(underpaint.__all__) == sorted(NAMES)


def test_every_public_name_is_the_clients_own_and_says_what_it_is():
    for name in underpaint.__all__:
        found = getattr(underpaint, name)
        if isinstance(found, str):
            continue
        parts = typing.get_args(found) or (found,)  # a union of requests, of events
        for part in parts:
            assert part.__module__.startswith("underpaint."), name
            assert part.__doc__, name
            assert not part.__doc__.startswith(f"{part.__name__}("), f"{name}: a dataclass's own"


def test_importing_brings_neither_torch_nor_blender_nor_image_libraries():
    code = "import underpaint, sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "bpy", "PIL", "cv2", "scipy"} & set(out.stdout.split())


def test_packages_and_extension_have_one_version():
    root = Path(__file__).parents[2]
    manifest = tomllib.loads((root / "blender_addon" / "blender_manifest.toml").read_text())
    told = {"the extension": manifest["version"], "the package": underpaint.__version__}
    for folder in (".", "protocol", "daemon", "daemon/underpaint_starter"):
        told[folder] = tomllib.loads((root / folder / "pyproject.toml").read_text())["project"][
            "version"
        ]
    assert set(told.values()) == {underpaint.__version__}, told


def test_a_command_that_only_reads_files_loads_no_sockets():
    code = (
        "import sys, underpaint_daemon.tools.assets.cli;"
        "print(*sorted({m.split('.')[0] for m in sys.modules}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"zmq", "asyncio", "torch", "scipy", "PIL"} & set(out.stdout.split())
