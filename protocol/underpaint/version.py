"""The release of this package; pyproject.toml and the extension's manifest say the same."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
