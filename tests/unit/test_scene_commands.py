"""`underpaint render` and `underpaint capture`: which frames, and what is refused."""

from __future__ import annotations

import pytest

from underpaint.cli.main import main
from underpaint.cli.scene import frames_of
from underpaint.errors import RequestError


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
