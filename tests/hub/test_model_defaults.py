"""`models defaults` shows what a model paints with and sets it; doctor tells of every model."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from underpaint.cli.doctor import Card, fits, model_line
from underpaint.paths import Paths, user_paths
from underpaint.requests import ImageRequest, Prompt
from underpaint.wire.records import ModelInfo
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.common.models import starter_folder
from underpaint_daemon.tools.hub.cli import main


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A model of the artist's own, "oak": the starter's files, linked."""
    for name in ("DATA", "CACHE", "RUNTIME"):
        monkeypatch.setenv(f"UNDERPAINT_{name}", str(tmp_path / name.lower()))
    paths = user_paths()
    shutil.copytree(
        starter_folder(),
        paths.models / "oak",
        copy_function=lambda a, b: os.symlink(a, b) if a.endswith("tensors") else shutil.copy(a, b),
    )
    return paths


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, object]:
    assert main(["defaults", *words, "--json"]) == code
    text = capsys.readouterr()
    return json.loads(text.out or text.err)


def test_what_is_set_is_what_requests_get(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    before = told(capsys, "oak")
    words = ("--size", "320", "--steps", "9", "--guidance", "2.5", "--sampler", "ddim")
    after = told(capsys, "oak", *words, "--control", "depth:0.7")
    assert {k: after[k] for k in ("size", "steps", "guidance", "sampler")} == {
        "size": 320, "steps": 9, "guidance": 2.5, "sampler": "ddim",
    }  # fmt: skip
    assert after["controls"] == [{"kind": "depth", "scale": 0.7}]
    settled = settle(ImageRequest(Prompt("a"), model="oak"), paths)
    assert isinstance(settled, ImageRequest)
    assert (settled.width, settled.sampling.steps) == (320, 9)
    freed = told(capsys, "oak", "--unset", "size", "--unset", "controls")
    assert freed["steps"] == 9
    assert "size" not in freed["set_in_file"]
    assert before["name"] == freed["name"] == "oak"


def test_people_see_where_each_value_comes_from(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["defaults", "oak", "--steps", "7"]) == 0
    shown = capsys.readouterr().out
    assert "steps      7  (its file)" in shown
    assert str(paths.models / "oak" / "underpaint.json") in shown


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("oak", "--steps", "0"), "bad_request"),
        (("oak", "--size", "9"), "bad_request"),
        (("oak", "--sampler", "magic"), "unknown_sampler"),
        (("oak", "--control", "magic"), "bad_request"),
        (("oak", "--unset", "prompt"), "bad_request"),
        (("nobody", "--steps", "3"), "model_missing"),
    ],
)
def test_what_cannot_be_set_is_refused_and_nothing_is_written(
    paths: Paths, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: str
) -> None:
    file = paths.models / "oak" / "underpaint.json"
    before = file.read_bytes()
    assert code in json.dumps(told(capsys, *words, code=2))
    assert file.read_bytes() == before


def test_doctor_says_of_a_model_how_it_fits_and_what_it_takes() -> None:
    model = ModelInfo("oak", "sdxl", controls=("depth", "tile"), size_mb=6900)
    line = model_line(model, Card("a card", 24_000))
    assert line == "sdxl, 6.9 GB, whole on the GPU; controls: depth, tile"
    assert "by turns on the GPU" in model_line(model, Card("a card", 6_000))
    assert "too large" in fits(6900, Card("a card", 2_000))
    assert "CPU" in fits(6900, None)
