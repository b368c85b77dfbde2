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
from underpaint_daemon.tools.assets.table import guess, read_rows

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


def test_the_sign_by_which_old_programs_end_a_file_is_no_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"file,prompt\r\na.obj,x\r\n\x1a")
    assert len(read_rows(tmp_path / "t.csv", NEEDED)) == 1


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


WORDS = (
    *("un mur élégant", "größe Häuser überall", "niño pequeño", "¿dónde está el baño?", "café"),
    *("rødt hus på en ø", "Über alle Maßen", "pão de açúcar às três", "smörgåsbord", "Straße"),
    *("mur de pierres à l'été", "où", "ÉGLISE EN PIERRE", "a 20° slope", "Ærø færge", "HÄUSER"),
    *("cœur de pierre", "l’été", "10 € coin", "Maçã verde", "Øl på Åen"),
)


@pytest.mark.parametrize("encoding", ["cp1252", "cp850", "cp437", "mac_roman"])
def test_short_words_of_every_western_code_page_are_read(encoding: str) -> None:
    """Windows, its consoles, old Macs. One word is too little to tell in a single case: Mac's
    Ä in capitals is a console's Ç, its ù a Slovak ť."""
    writable = [word for word in WORDS if _can(word, encoding)]
    wrong = [word for word in writable if decoded(word.encode(encoding)) != word]
    assert len(writable) >= 12
    assert wrong == (["où", "Ærø færge", "HÄUSER"] if encoding == "mac_roman" else [])


CENTRAL = {
    "cp1250": (
        *("červená zeď", "mur z czerwonej cegły", "ściana pokryta mchem", "żółta łódź", "kamień"),
        *("vörös téglafal", "erdő", "gyűrű", "hrdzavá oceľ", "stěna z cihel", "modrá střecha"),
        *("zid od cigle, šuma", "skała", "śnieg", "Łódź", "gęś", "tűzpiros"),
    ),
    "iso8859_2": ("červená zeď", "ściana pokryta mchem", "żółta łódź", "příliš žluťoučký kůň"),
    "cp852": ("červená zeď", "żółta łódź", "vörös téglafal", "příliš žluťoučký kůň"),
}


@pytest.mark.parametrize("encoding", CENTRAL)
def test_words_of_central_europe_are_not_taken_for_western_ones(encoding: str) -> None:
    read = {word: decoded(word.encode(encoding)) for word in CENTRAL[encoding]}
    assert read == {word: word for word in CENTRAL[encoding]}


def test_what_was_guessed_is_told_and_can_be_named(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes("file,prompt\na.obj,красная стена\n".encode("cp1251"))
    assert read_rows(table, NEEDED, "cp1251")[0]["prompt"] == "красная стена"
    with pytest.raises(RequestError, match="is no encoding"):
        read_rows(table, NEEDED, "cp12510")
    with pytest.raises(RequestError, match="not in utf-8"):
        read_rows(table, NEEDED, "utf-8")
    table.write_bytes("file,prompt\na.obj,červená zeď\n".encode("cp1250"))
    said = guess(table)
    assert said is not None
    assert "'červená', 'zeď'" in said
    assert "--encoding" in said
    table.write_text("file,prompt\na.obj,červená zeď\n", encoding="utf-8")
    assert guess(table) is None


def _can(word: str, encoding: str) -> bool:
    try:
        return bool(word.encode(encoding))
    except UnicodeEncodeError:
        return False


@pytest.mark.parametrize("encoding", ["cp850", "mac_roman", "utf-16-be", "utf-16-le"])
def test_a_table_of_a_console_or_a_mac_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.csv").write_bytes("file;prompt\nMaçã.obj;un mur élégant\n".encode(encoding))
    (row,) = read_rows(tmp_path / "t.csv", NEEDED)
    assert (row["file"], row["prompt"]) == ("Maçã.obj", "un mur élégant")


def test_a_table_of_long_chinese_prompts_in_utf_16_without_a_mark_is_read(tmp_path: Path) -> None:
    text = "file,prompt\na.obj," + "红砖墙" * 200 + "\n"
    (tmp_path / "t.csv").write_bytes(text.encode("utf-16-le"))
    assert read_rows(tmp_path / "t.csv", NEEDED)[0]["prompt"] == "红砖墙" * 200


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("красная стена", "cp1251"),
        ("赤いレンガの壁", "shift_jis"),
        ("红砖墙", "gb18030"),
        ("빨간 벽돌", "euc_kr"),
    ],
)
def test_an_encoding_that_cannot_be_told_is_refused_with_the_fix(
    tmp_path: Path, text: str, encoding: str
) -> None:
    (tmp_path / "t.csv").write_bytes(f"file,prompt\na.obj,{text}\n".encode(encoding))
    with pytest.raises(RequestError, match="encoding") as told:
        read_rows(tmp_path / "t.csv", NEEDED)
    assert "UTF-8" in told.value.hint


def test_quoted_lines_are_one_cell_and_an_open_quote_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text('file\tprompt\n"a.obj"\t"red\nclay, ""old"""\nb.obj\ta 5" pipe\n')
    assert [row["prompt"] for row in read_rows(table, NEEDED)] == ['red\nclay, "old"', 'a 5" pipe']
    table.write_text('file,prompt\na.obj,red\nb.obj,"clay\nc.obj,gold\n')
    with pytest.raises(RequestError, match="line 3: a quotation mark"):
        read_rows(table, NEEDED)


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
