"""Prompts as people write them: weights, nesting, escapes, breaks, choices and wildcards."""

from __future__ import annotations

from pathlib import Path

import pytest

from underpaint.errors import RequestError
from underpaint.paths import Paths
from underpaint.requests import ImageRequest, Prompt
from underpaint.words import (
    has_numbers,
    is_weighted,
    pieces,
    settle_choices,
    without_numbers,
)
from underpaint_daemon.common.defaults.wildcards import settled_words


def seen(text: str) -> list[tuple[str, float]]:
    (row,) = pieces(text)
    return [(piece.text, round(piece.weight, 4)) for piece in row]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a mossy stone", [("a mossy stone", 1)]),
        ("a (mossy:1.4) stone", [("a ", 1), ("mossy", 1.4), (" stone", 1)]),
        ("(mossy)", [("mossy", 1.1)]),
        ("((mossy))", [("mossy", 1.21)]),
        ("[mossy]", [("mossy", 0.9091)]),
        ("(a (b:1.5) c:1.2)", [("a ", 1.2), ("b", 1.8), (" c", 1.2)]),
        ("((a:1.2) b)", [("a", 1.32), (" b", 1.1)]),
        (r"stone \(rock\)", [("stone (rock)", 1)]),
        (r"(a \(b\):1.3)", [("a (b)", 1.3)]),
        ("smile :) and (open", [("smile :) and (open", 1)]),
        ("ratio 16:9", [("ratio 16:9", 1)]),
        ("(a, b: c)", [("a, b: c", 1.1)]),
        ("(a:-0.5)", [("a", -0.5)]),
        ("(камень:1.2) 石", [("камень", 1.2), (" 石", 1)]),
        ("", []),
    ],
)
def test_weights_nest_and_multiply(text: str, expected: list[tuple[str, float]]) -> None:
    assert seen(text) == expected


def test_break_starts_a_window_and_is_a_word_only_in_capitals() -> None:
    rows = pieces("a stone BREAK (moss:1.2) BREAKFAST break")
    assert [[piece.text for piece in row] for row in rows] == [
        ["a stone"],
        ["moss", " BREAKFAST break"],
    ]
    assert is_weighted("a BREAK b")
    assert is_weighted("(a)")
    assert not is_weighted(r"a \(b\) :)")


WILDCARDS = {
    "stone": ["granite", "{marble|slate}"],
    "deep/one": ["__stone__"],
    "loop": ["__loop__"],
}


def settled(text: str, seed: int) -> str:
    return settle_choices(text, seed, WILDCARDS.__getitem__)


def test_choices_and_wildcards_are_settled_by_the_seed_alone() -> None:
    text = "a {red|green|{pale |deep }blue} __deep/one__ ball"
    found = {settled(text, seed) for seed in range(200)}
    assert len(found) == 4 * 3
    assert not any(sign in one for one in found for sign in "{|}_")
    assert settled(text, 5) == settled(text, 5)
    assert all(settled(settled(text, seed), seed + 1) == settled(text, seed) for seed in range(20))


def test_weights_and_shares_of_nothing_leave_the_words() -> None:
    assert without_numbers("(a (b:1.5) c:1.2)") == "a b c"
    assert settled("a {0::red|0::blue} cube", 1) == "a red cube"
    assert settled("{a\\|b|a\\|b}", 1) == "a\\|b", "an escaped sign parts nothing"


def test_shares_escapes_and_open_braces() -> None:
    drawn = [settled("{3::a|b}", seed) for seed in range(400)]
    assert 0.65 < drawn.count("a") / 400 < 0.85
    assert settled(r"\{a|b\} {open", 1) == r"\{a|b\} {open"
    assert seen(r"\{a|b\}") == [("{a|b}", 1)]
    assert settled("{a} {} {{a}} {}|{b}", 1) == "{a} {} {{a}} {}|{b}"
    assert settled("{{a}|{a}}", 1) == "{a}"
    assert settled("(w:1.2) snake_case __init", 1) == "(w:1.2) snake_case __init"


JSON = (
    '{"scene": "a red ball (ratio: 2) BREAK", "colors": ["#ff0000", "#00ff00"]}',
    ' {"title": "A | B", "deep": {"x": {"y": [1, [2, "(z:1.3)"]]}}, "none": {}}\n',
    r'{"quoted \" {": "C:\\x [y]", "a|b": "\n"}',
)


@pytest.mark.parametrize("text", JSON)
def test_a_prompt_in_json_stays_to_the_letter(text: str) -> None:
    assert settled(text, 3) == text
    assert without_numbers(text) == text
    assert seen(text) == [(text, 1)]
    assert not has_numbers(text)
    assert not is_weighted(text)


def test_choices_and_wildcards_in_json_are_settled() -> None:
    text = '{"scene": "a {red|blue} ball", "list": [{"of": "__stone__"}, {"b|c": "{x}"}]}'
    found = {settled(text, seed) for seed in range(200)}
    expected = '{"scene": "a %s ball", "list": [{"of": "%s"}, {"b|c": "{x}"}]}'
    stones = ("granite", "marble", "slate")
    assert found == {expected % (c, s) for c in ("red", "blue") for s in stones}


def test_json_among_words_and_code_are_no_choices() -> None:
    for text in (
        'a stone, {"style": "a|b"}',
        "f(x) = {x, y}",
        r"\frac{a}{b}",
        "body { color: red }",
    ):
        assert settled(text, 1) == text


def test_a_backslash_takes_a_bracket_at_its_word_for_every_encoder() -> None:
    assert without_numbers(r"\{a|b\} \(old:1.2\) c:\dir") == r"{a|b} (old:1.2) c:\dir"
    assert not has_numbers(r"\{a|b\} \(old:1.2\)")


def test_a_wildcard_without_its_file_is_told_with_the_place_where_to_write_it(
    tmp_path: Path,
) -> None:
    request = ImageRequest(Prompt("a __colour__ ball"))
    with pytest.raises(RequestError) as caught:
        settled_words(request, Paths(tmp_path, tmp_path, tmp_path))
    file = tmp_path / "wildcards" / "colour.txt"
    told = f"The wildcard file {file} cannot be read: No such file or directory"
    assert caught.value.message == told


def test_wildcards_that_lead_to_themselves_are_refused() -> None:
    with pytest.raises(RequestError, match="lead to themselves"):
        settled("__loop__", 1)
