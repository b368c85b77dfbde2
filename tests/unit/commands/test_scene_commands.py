"""`underpaint render` and `underpaint capture`: which frames, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from underpaint.animation.asking import Asked, unknown
from underpaint.buffers import Buffers
from underpaint.cli.generate import build_request
from underpaint.cli.main import build_parser, main
from underpaint.cli.scene import frames_of
from underpaint.errors import RequestError
from underpaint.requests import ImageRequest, Prompt


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("7", [7]),
        ("1-3", [1, 2, 3]),
        ("1:3", [1, 2, 3]),
        ("-2-0", [-2, -1, 0]),
        ("1:8:3", [1, 4, 7]),
    ],
)
def test_frames_are_read(text, frames):
    assert frames_of(text) == frames


@pytest.mark.parametrize("text", ["3-1", "a-b", "1-", "", "1:5:0", "every"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(RequestError, match="FIRST:LAST"):
        frames_of(text)


@pytest.mark.parametrize(
    "words",
    [
        ["capture", "nowhere.blend", "--out", "view.npz"],
        ["render", "nowhere.blend", "--prompt", "a head", "--out", "out"],
    ],
)
def test_a_missing_file_is_named(words, capsys):
    assert main(words) == 2
    assert "nowhere.blend" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["capture", "junk.blend", "--out", "v.npz"], "junk.blend is no .blend file"),
        (["render", "junk.blend", "--prompt", "x", "--out", "o"], "junk.blend is no .blend file"),
        (["capture", "scene.blend", "--out", "folder"], "folder is a folder"),
        (["capture", "scene.blend", "--out", "junk.blend/v.npz"], "a file where a folder is to be"),
        (["capture", "scene.blend", "--size", "3", "--out", "v.npz"], "--size is 3; expected"),
        (["capture", "scene.blend", "--frame", "9" * 12, "--out", "v.npz"], "--frame is 9999"),
        (
            ["render", "scene.blend", "--frames", "1:9999999999", "--prompt", "x", "--out", "o"],
            "Blender's frames end at 1048574",
        ),
    ],
)
def test_what_cannot_be_captured_is_told_before_blender_is_started(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDERPAINT_BLENDER", str(tmp_path / "no blender"))
    Path("junk.blend").write_text("a text")
    Path("scene.blend").write_bytes(b"BLENDER17-01v0500")
    Path("folder").mkdir()
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_names_in_braces_that_a_scene_has_not_are_known():
    prompt = Prompt("(snow:{snow}) on {what}, {what}", "{underpaint_seed}")
    asked = Asked(ImageRequest(prompt), Buffers())
    assert unknown(asked, {"snow": 0.5, "underpaint_seed": 3.0}) == ["what"]


def test_words_for_an_object_of_a_range_are_told_where_they_belong():
    words = ["render", "scene.blend", "--frames", "1:8", "--prompt", "a yard", "--out", "out"]
    args = build_parser().parse_args([*words, "--region", "Wall=red bricks"])
    args.view = args.depth = None
    with pytest.raises(RequestError, match="by the words that they have in the scene") as refused:
        build_request(args, in_frames=True)
    assert "say --object-prompts" in refused.value.hint
