"""Prompts as people write them: weights, nesting, escapes, breaks, choices and wildcards."""

from __future__ import annotations

import pytest

from underpaint.errors import RequestError
from underpaint.words import is_weighted, pieces, settle_choices


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


def test_shares_escapes_and_open_braces() -> None:
    drawn = [settled("{3::a|b}", seed) for seed in range(400)]
    assert 0.65 < drawn.count("a") / 400 < 0.85
    assert settled(r"\{a|b\} {open", 1) == r"\{a|b\} {open"
    assert seen(r"\{a|b\}") == [("{a|b}", 1)]
    assert settled("{a}", 1) == "a"
    assert settled("(w:1.2) snake_case __init", 1) == "(w:1.2) snake_case __init"


def test_wildcards_that_lead_to_themselves_are_refused() -> None:
    with pytest.raises(RequestError, match="lead to themselves"):
        settled("__loop__", 1)
