"""The panel's weights of a prompt's phrases; and what others tell it, in other languages."""

from __future__ import annotations

import pytest

from blender_addon.plain.prompt_words import is_data, phrases, weighed
from blender_addon.plain.templates import read, sentences, templates

from helpers.blender.shown_words import ADDON
from helpers.blender.told_words import told_by_others


def test_one_phrase_is_made_heavier_and_the_others_stay():
    assert weighed("a castle, (moss:1.3), fog", 1, 0.1) == "a castle, (moss:1.4), fog"
    assert weighed("a castle, (moss:1.1)", 1, -0.1) == "a castle, moss"
    assert [phrase.text for phrase in phrases("{red|blue}, a (b, c), [d]")] == [
        "{red|blue}",
        "a (b, c)",
        "[d]",
    ]


@pytest.mark.parametrize(
    "prompt",
    ['{"scene": "a castle, fog", "style": "ink"}', ' ["a castle", "fog"]', '{"a": {"b": [1]}}'],
)
def test_a_prompt_in_json_stays_to_the_letter(prompt):
    assert is_data(prompt)
    assert phrases(prompt) == ()


@pytest.mark.parametrize("prompt", ["{red|blue} castle", "[fog], castle", '{"unfinished": ', ""])
def test_brackets_alone_are_no_json(prompt):
    assert not is_data(prompt)


def test_what_worker_server_and_installer_tell_is_told_in_all_languages():
    english = {
        line.split("\t")[0]
        for table in ADDON.glob("languages/*.tsv")
        for line in table.read_text(encoding="utf-8").splitlines()
    }
    known = templates(sorted(english))

    def has_words(text: str) -> bool:
        return text in english or read(text, known) is not None or text == "7."

    lacking = {
        told
        for told in told_by_others()
        if not has_words(told) and not all(has_words(one) for one in sentences(told))
    }
    assert lacking == set(), "add these to languages/told.tsv"


def test_a_sentence_is_known_by_its_words_and_keeps_what_was_filled_in():
    known = templates(["There is no {a} here", "There is no model {a}; known: {b}"])
    said = "There is no model 'x; y'; known: starter, mine"
    assert read(said, known) == (
        "There is no model {a}; known: {b}",
        {"a": "'x; y'", "b": "starter, mine"},
    )
    assert read("There is a model", known) is None
