"""The panel's weights of a prompt's phrases; and what others tell it, in other languages."""

from __future__ import annotations

import pytest

from blender_addon.plain.prompt_words import is_data, phrases, weighed, weighed_at
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


def test_lines_stay_when_a_phrase_is_made_heavier():
    assert weighed("a castle,\nmoss\n, fog", 1, 0.1) == "a castle,\n(moss:1.1)\n, fog"


@pytest.mark.parametrize(
    ("written", "then"),  # | | is what is marked, or the cursor
    [
        ("an old ca||stle, fog", "an old |(castle:1.1)|, fog"),
        ("an old ||castle", "an old |(castle:1.1)|"),
        ("an old castle||", "an old |(castle:1.1)|"),
        ("an| old castle,| fog", "an |(old castle:1.1)|, fog"),
        ("an |(castle:1.1)|, fog", "an |(castle:1.2)|, fog"),
        ("an (cas||tle, moss:1.4)", "an |(castle, moss:1.5)|"),
        ("(a (sto||ne:1.2):1.1)", "(a |(stone:1.3)|:1.1)"),
        ("fog,\nmo||ss\n", "fog,\n|(moss:1.1)|\n"),
        ("|(moss:0.9)|", "|moss|"),
        ("||(moss:2)", "|(moss:2)|"),
        ("{red|blu}||", None),
        ("a ,|| b", None),
        ("a| (b|)", None),
        ("||", None),
        ('||{"scene": "fog"}', None),
    ],
)
def test_the_marked_words_or_the_word_at_the_cursor_count_more(written, then):
    before, _, rest = written.partition("|") if "||" not in written else written.partition("||")
    marked, _, after = rest.partition("|") if "||" not in written else ("", "", rest)
    text, start = before + marked + after, len(before)
    found = weighed_at(text, start, start + len(marked), 0.1)
    if found is None:
        assert then is None
        return
    assert then == (
        f"{found.text[: found.start]}|{found.text[found.start : found.end]}|"
        f"{found.text[found.end :]}"
    )


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
