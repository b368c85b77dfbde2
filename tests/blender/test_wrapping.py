"""Text in the sidebar's lines."""

from __future__ import annotations

import pytest

from blender_addon.ui.wrapping import wrapped


def width(text: str) -> float:
    """Letters of East Asia are as wide as two."""
    return float(sum(2 if letter > "\u2e80" else 1 for letter in text))


@pytest.mark.parametrize(
    "text",
    [
        "nothing is visible from here",
        "描画機能はまだインストールされていません。Underpaint タブを開きます。",
        "a-name-without-any-space-that-is-longer-than-a-line",
        "短い「引用、です」と (words) 混在",
    ],
)
@pytest.mark.parametrize("room", [6, 11, 40])
def test_no_line_is_wider_than_the_sidebar_and_no_letter_is_lost(text, room):
    lines = wrapped(text, room, 99, width)
    assert all(width(line) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_words_stay_whole_and_closing_signs_stay_with_their_letter():
    assert wrapped("one two three", 7, 9, width) == ["one two", "three"]
    assert wrapped("描画、完了", 6, 9, width) == ["描画、", "完了"]


def test_what_has_no_room_ends_in_dots():
    assert wrapped("one two three four five", 9, 2, width) == ["one two", "three …"]
    assert wrapped("one", 9, 2, width) == ["one"]
    assert wrapped("", 9, 2, width) == []
