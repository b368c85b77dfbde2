"""The panel's weights of a prompt's phrases."""

from __future__ import annotations

import pytest

from blender_addon.plain.prompt_words import is_data, phrases, weighed


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
