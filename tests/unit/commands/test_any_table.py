"""Whatever bytes a table of assets holds: rows, or a registered error. UNDERPAINT_EXAMPLES=100000
tries more than the suite does."""

from __future__ import annotations

import os
import tracemalloc
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from underpaint.errors import UnderpaintError
from underpaint_daemon.tools.assets.table import read_rows

EXAMPLES = int(os.environ.get("UNDERPAINT_EXAMPLES", "200"))
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252", "shift-jis")
WORDS = ["file", "Prompt", "seed", '"', '""', "a.obj", "grün", "sep=", "x" * 140_000]
BREAKS = [",", ";", "\t", "|", "\n", "\n", "\r\n", "\r", "\0", " "]
CELLS = st.lists(st.sampled_from(WORDS + BREAKS), max_size=30)


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
@given(words=CELLS, encoding=st.sampled_from(ENCODINGS), tail=st.binary(max_size=12))
def test_any_table(tmp_path_factory, words: list[str], encoding: str, tail: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    text = "file,prompt\n" + "".join(words)
    path.write_bytes(text.encode(encoding, "replace") + tail)
    with suppress(UnderpaintError):
        for row in read_rows(path, ("file", "prompt")):
            assert set(row.cells.values()) <= {value.strip() for value in row.cells.values()}
            assert row.line >= 1


def test_a_table_takes_at_most_four_times_its_file(tmp_path) -> None:
    path = tmp_path / "many.csv"
    lines = [f'chairs/chair_{n:05}.obj,"red bricks, {n}",,{n}\n' for n in range(10_000)]
    path.write_text("file,prompt,negative,seed\n" + "".join(lines))
    tracemalloc.start()
    try:
        rows = read_rows(path, ("file", "prompt"))
        last = [row["prompt"] for row in rows[-2:]]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert last == ["red bricks, 9998", "red bricks, 9999"]
    assert len(rows) == 10_000
    assert peak < 4 * path.stat().st_size, peak / path.stat().st_size
