"""Words and tables in any encoding and delimiter: read as they were meant, never a traceback."""

from __future__ import annotations

import codecs
import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from underpaint import ImageRequest, Prompt, RequestError, to_json
from underpaint.cli.generate import build_request
from underpaint.cli.main import build_parser
from underpaint.encodings import decoded, typed
from underpaint_daemon.tools.assets.table import read_rows

NEEDED = ("file", "prompt")
PROMPT = "eine große Tür, grün – 5 €"
BOM = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_of_any_program_is_read(
    tmp_path: Path, encoding: str, delimiter: str, end: str
) -> None:
    rows = [["File ", "PROMPT", "seed"], ["a.obj", f'"{PROMPT}"', "7"], [], ["b.obj", '"x, y"', ""]]
    text = end.join(delimiter.join(row) for row in rows) + end
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    one, two = read_rows(tmp_path / "t.csv", NEEDED)
    assert (one["file"], one["prompt"], one["seed"], one["negative"]) == ("a.obj", PROMPT, "7", "")
    assert (two["file"], two["prompt"], two.line) == ("b.obj", "x, y", 4)


@pytest.mark.parametrize("encoding", sorted(BOM))
def test_byte_order_marks_and_excels_first_line_are_no_words(tmp_path: Path, encoding: str) -> None:
    text = "sep=;\nfile;prompt\na.obj;x\n"
    (tmp_path / "t.csv").write_bytes(BOM[encoding] + text.encode(encoding))
    assert read_rows(tmp_path / "t.csv", NEEDED)[0].cells == {"file": "a.obj", "prompt": "x"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mesh,prompt\na,b\n", "no column file; found: mesh, prompt"),
        ("", "found: nothing"),
        ("file,prompt,file\n", "file is there twice"),
        ('file,prompt\na,"' + "x" * 200_000, "line"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(RequestError, match=told):
        read_rows(tmp_path / "t.csv", NEEDED)
    with pytest.raises(RequestError, match="nowhere"):
        read_rows(tmp_path / "nowhere.csv", NEEDED)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-8")))
def test_any_bytes_are_a_table_or_a_registered_error(tmp_path_factory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    for head in (b"", b"file,prompt\n", b"file;prompt;seed\r\n"):
        file.write_bytes(head + data)
        with contextlib.suppress(RequestError):
            rows = read_rows(file, NEEDED)
            assert all(isinstance(cell, str) for row in rows for cell in row.cells.values())


def test_a_prompt_of_an_old_shell_is_read_and_travels() -> None:
    word = PROMPT.encode("cp1252").decode("utf-8", "surrogateescape")
    args = build_parser().parse_args(["generate", "--prompt", word, "--out", "o"])
    request, _ = build_request(args)
    assert request.prompt.text == PROMPT
    assert json.loads(to_json(request))["prompt"]["text"] == PROMPT
    assert typed(PROMPT) == PROMPT


def test_half_a_character_is_refused_in_words() -> None:
    with pytest.raises(RequestError, match="no text, the first at 2"):
        to_json(ImageRequest(Prompt("a \ud83d")))
    assert typed("a \ud83d") == "a ?"


@given(st.binary(max_size=64))
def test_any_bytes_are_some_text(data: bytes) -> None:
    decoded(data).encode()
