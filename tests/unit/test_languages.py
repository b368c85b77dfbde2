"""Every word that the panel shows is there in every language of the add-on."""

from __future__ import annotations

from helpers.blender.shown_words import ADDON, shown_words

LANGUAGES = ["de_DE", "fr_FR", "es", "ja_JP", "zh_HANS"]
HEAD, *ROWS = (
    line.split("\t")
    for line in (ADDON / "languages" / "words.tsv").read_text(encoding="utf-8").splitlines()
)


def test_every_word_shown_has_all_languages():
    assert ["en", *LANGUAGES] == HEAD
    assert shown_words() - {row[0] for row in ROWS} == set(), "add these to languages/words.tsv"


def test_every_row_is_whole_and_stands_once():
    assert [row[0] for row in ROWS if len(row) != len(HEAD) or not all(row)] == []
    english = [row[0] for row in ROWS]
    assert len(set(english)) == len(english)


def test_the_languages_of_east_asia_are_written_in_their_scripts():
    latin = {"Canny", "ControlNet", "LoRA", "LoRAs", "Underpaint"}
    for row in ROWS:
        if row[0] not in latin:
            assert all(any(letter > "\u2e80" for letter in text) for text in row[-2:]), row
