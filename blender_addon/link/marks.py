"""What an image of ours carries with it: its request, its job, and that a model made it. No bpy."""

from __future__ import annotations

from typing import Any

from underpaint.tree import to_json

from .task import Task

REQUEST_KEY = "underpaint_request"
JOB_KEY = "underpaint_job"
TARGET_KEY = "underpaint_target"
SOURCE_KEY = "digital_source_type"
# IPTC's term for images made by a trained model; it travels with the .blend.
AI_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_NAME_BYTES = 59


def mark(image: Any, task: Task) -> None:
    """Write a task's recipe onto one of its images."""
    image[REQUEST_KEY] = to_json(task.request)
    image[JOB_KEY] = task.id
    image[SOURCE_KEY] = AI_SOURCE


def image_name(prompt: str, what: str = "") -> str:
    """The prompt (and what of it this is), as long as Blender's data-block names may be (63 bytes
    with a `.001`)."""
    end = f" {what}" if what else ""
    text = prompt.encode()[: _NAME_BYTES - len(end)].decode(errors="ignore").strip()
    return f"{text}{end}" if text else f"Underpaint{end}"
