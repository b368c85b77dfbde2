"""These tests have a hub, whatever others of their process keep offline."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
