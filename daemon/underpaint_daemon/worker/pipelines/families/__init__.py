"""One small file for each family of models: what differs between them, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from .base import Family, Task
from .sd15 import SD15
from .sdxl import SDXL

FAMILIES: Mapping[str, Family] = {family.name: family for family in (SD15, SDXL)}

__all__ = ["FAMILIES", "Family", "Task"]
