"""Changes of the tiny model's weights, and a folder for what is made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.painting.lora_changes import Changes
from helpers.painting.studio import Studio


@pytest.fixture(scope="module")
def changes(studio: Studio) -> Changes:
    return Changes(studio)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loras")
