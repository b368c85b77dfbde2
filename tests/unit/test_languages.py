"""Every word that the panel shows is there in every language of the add-on.

That each tooltip is, too, is asked in Blender (`tests/blender/inside/panel/addon_tooltips.py`).
"""

from __future__ import annotations

import re

import pytest

from helpers.blender.shown_words import ADDON, shown_words, told_failures, unspoken

LANGUAGES = ["de_DE", "fr_FR", "es", "ja_JP", "zh_HANS"]
FILES = ["words.tsv", "tips.tsv", "failures.tsv", "told.tsv"]
LATIN = {"Canny", "ControlNet", "LoRA", "LoRAs", "Underpaint"}


def table(name: str) -> list[list[str]]:
    text = (ADDON / "languages" / name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()]


HEAD, *ROWS = table("words.tsv")


def test_every_word_shown_has_all_languages():
    assert ["en", *LANGUAGES] == HEAD
    assert shown_words() - {row[0] for row in ROWS} == set(), "add these to languages/words.tsv"


def test_what_fails_always_the_same_way_is_told_in_all_languages():
    assert told_failures() - {row[0] for row in table("failures.tsv")[1:]} == set()


def test_what_is_put_together_is_translated_too():
    assert unspoken() == [], "put it together with say(text, name=value)"


@pytest.mark.parametrize("name", FILES)
def test_what_stands_in_a_text_by_name_stands_in_every_language(name):
    for row in table(name)[1:]:
        names = [set(re.findall(r"{\w+}", text)) for text in row]
        assert all(found == names[0] for found in names), row


@pytest.mark.parametrize("name", FILES)
def test_every_row_is_whole_and_stands_once(name):
    head, *rows = table(name)
    assert head == ["en", *LANGUAGES]
    assert [row[0] for row in rows if len(row) != len(head) or not all(row)] == []
    english = [row[0] for row in rows]
    assert len(set(english)) == len(english)


@pytest.mark.parametrize("name", FILES)
def test_the_languages_of_east_asia_are_written_in_their_scripts(name):
    for row in table(name)[1:]:
        if row[0] not in LATIN:
            assert all(any(letter > "\u2e80" for letter in text) for text in row[-2:]), row


def test_what_tooltips_count_is_counted_in_every_language():
    """Numbers and names of methods are the same in all of them."""
    for row in table("tips.tsv")[1:]:
        asked = set(re.findall(r"\d+|LCM|DPM\+\+|IP-Adapter|UV|LoRA|ControlNet|Python", row[0]))
        for text in row[1:]:
            assert {word for word in asked if word not in text} == set(), (row[0], text)
