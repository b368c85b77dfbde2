"""Meshes that one capture leaves to the next, while only the camera or the objects move. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .surfaces import Triangles

_MOST_CORNERS = 6_000_000


@dataclass(slots=True)
class Kept:
    """`meshes`: as they were read, by what Blender evaluates them into; `batches`: what of them
    the graphics card has. To be cleared when any mesh has changed."""

    meshes: dict[Any, Triangles | None] = field(default_factory=dict)
    batches: dict[tuple[int, bytes], Any] = field(default_factory=dict)

    def clear(self) -> None:
        """Read and upload everything anew."""
        self.meshes.clear()
        self.batches.clear()

    def bound(self) -> None:
        """Keep nothing of a scene that would take more than a gigabyte."""
        read = (mesh for mesh in self.meshes.values() if mesh is not None)
        if sum(len(mesh.position) for mesh in read) > _MOST_CORNERS:
            self.clear()
