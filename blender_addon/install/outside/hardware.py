"""Which torch this machine's hardware needs, and where it is to be had. Stdlib only.

PyTorch's own index has a build for each hardware; the package index has one alone: on Linux that
is the one with CUDA, gigabytes that a machine without such a card has no use for. It is never
taken in another's place unasked.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from pathlib import Path

from packages import PLAN, Wanted, pip
from running import run
from telling import StepFailed

TORCH = "torch==2.13.0"
AS_OFFERED = "index"
"""In the place of a hardware: torch as the package index has it."""
MIRROR = "UNDERPAINT_TORCH_INDEX"
_NVIDIA = (Path("/proc/driver/nvidia/version"), Path("/sys/module/nvidia/version"))


def torch(python: Path, wanted: Wanted) -> list[str]:
    """pip's words for the torch of this hardware. Raises StepFailed where only another is to be
    had."""
    if wanted.wheelhouse is not None or wanted.hardware == AS_OFFERED:
        return [TORCH]
    mirror = wanted.torch_index or os.environ.get(MIRROR, "")
    if mirror:
        return [TORCH, "--extra-index-url", mirror]
    found = _asked_of_uv(python, wanted)
    if found:
        return found
    cuda = _brings_cuda(python, wanted)
    named = wanted.hardware not in ("auto", "cpu") and not wanted.hardware.startswith("cu")
    if named or cuda != _wants_cuda(wanted.hardware):
        raise _refusal(cuda=cuda)
    return [TORCH]


def _refusal(*, cuda: bool) -> StepFailed:
    hint = (
        "To take it all the same, choose As the Package Index Has It in Install. Or name a mirror "
        "of PyTorch's index in the add-on's preferences, or choose a wheelhouse folder."
    )
    if cuda:
        return StepFailed(
            "PyTorch's own index could not be asked, and the package index has torch only with "
            "CUDA: 3 GB to download, 6 GB on the disk",
            hint,
        )
    return StepFailed(
        "PyTorch's own index could not be asked, and the package index has torch only for the "
        "processor",
        hint,
    )


def _asked_of_uv(python: Path, wanted: Wanted) -> list[str]:
    """uv knows which index has torch for which hardware; nothing where it, or that index, is not
    to be had."""
    asked = python.parent / "torch.in"
    asked.write_text(TORCH)
    words = ["-m", "uv", "pip", "compile", "-q", "--no-deps", "--emit-index-annotation"]
    words += [f"--torch-backend={wanted.hardware}", str(asked)]
    with contextlib.suppress(StepFailed):
        pip(python, "install", *wanted.source, "uv", purpose="fetch uv")
        said = run([str(python), *words], "find torch for this hardware")
        found = re.search(r"^(torch==\S+)", said, re.MULTILINE)
        index = re.search(r"# from (\S+)", said)
        if found and index:
            return [found.group(1), "--extra-index-url", index.group(1)]
    return []


def _brings_cuda(python: Path, wanted: Wanted) -> bool:
    """Whether the package index's torch is the one with CUDA: its libraries come with it."""
    report = python.parent / "torch.json"
    words = [*PLAN, "--report", str(report)]
    pip(python, "install", *words, *wanted.source, TORCH, purpose="find the packages")
    items = json.loads(report.read_text(encoding="utf-8"))["install"]
    return any(item["metadata"]["name"].startswith("nvidia-") for item in items)


def _wants_cuda(hardware: str) -> bool:
    if hardware == "auto":
        return any(sign.exists() for sign in _NVIDIA) or shutil.which("nvidia-smi") is not None
    return hardware.startswith("cu")
