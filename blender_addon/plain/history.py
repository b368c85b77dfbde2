"""The artist's last prompts, in a file of the add-on's own user folder. No bpy."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

_MOST = 40


def prompts(file: Path) -> list[str]:
    """Newest first; none when there is no such file or it is broken."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []


def remember(file: Path, prompt: str) -> None:
    """Put a prompt in front. A folder that cannot be written to keeps none."""
    words = prompt.strip()
    if not words:
        return
    kept = [words, *(text for text in prompts(file) if text != words)][:_MOST]
    partial = file.with_suffix(".part")
    with contextlib.suppress(OSError):
        partial.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        partial.replace(file)
