"""Tables of assets as spreadsheets and old shells write them.

Any encoding (see `underpaint.encodings`), comma, semicolon, tab or bar, Excel's `sep=` line, any
line end, any order and case of the columns.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from underpaint.encodings import decoded, unicode_text
from underpaint.errors import ErrorCode, RequestError
from underpaint.files.codepages import code_page
from underpaint.files.refusal import check_file

_DELIMITERS = ",;\t|"
_MOST_BYTES = 16 * 1024 * 1024
_HINT = "The first row names the columns: file, prompt and, where wanted, negative, seed."


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: the line it ends in, and its cells by the column's name in small letters,
    without the spaces around them. What is not there is empty."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def read_rows(path: Path, needed: tuple[str, ...], encoding: str | None = None) -> list[Row]:
    """The rows of a table that are not blank. needed: columns it must have. encoding: of its
    text; None = to be told from its bytes.

    Raises RequestError(FILE) that says what is wrong and where.
    """
    text = _text(path, encoding).rstrip("\x1a")  # where old programs end a file
    text, delimiter = _delimiter(text, needed)
    _closed(path, text, delimiter)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    try:
        names = [_name(cell) for cell in next(reader, [])]
        _check(path, names, needed)
        return [
            Row(reader.line_num, dict(zip(names, (c.strip() for c in cells), strict=False)))
            for cells in reader
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        where = f"{path}, line {reader.line_num}"
        raise RequestError(ErrorCode.FILE, f"{where}: {error}", hint=_HINT) from error


def _closed(path: Path, text: str, delimiter: str) -> None:
    """Refuse a quotation mark that is not closed: the rows after it would be part of its cell."""
    last, lines = 0, io.StringIO(text)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for _ in reader:
            last = reader.line_num
    except csv.Error as error:
        if "unexpected end" in str(error):
            where = f"{path}, line {last + 1}"
            why = f"{where}: a quotation mark is opened and never closed"
            raise RequestError(ErrorCode.FILE, why, hint="Close it, or write two.") from error


def guess(path: Path) -> str | None:
    """What a table's letters were taken for, where its bytes do not say; None where they do.
    Raises RequestError(FILE)."""
    data = _bytes(path)
    page = code_page(data) if unicode_text(data) is None else None
    if page is None:
        return None
    words = re.findall(r"[^\W_]*[^\W_\x00-\x7f][^\W_]*", data.decode(page, "replace"))
    shown = ", ".join(repr(word) for word in dict.fromkeys(words[:3]))
    return (
        f"{path} is not in Unicode; its letters were taken for {page}: {shown}. If they are wrong, "
        "save it as CSV UTF-8, or name its encoding: --encoding cp1250 (or cp1251, shift_jis, …)."
    )


def _bytes(path: Path) -> bytes:
    try:
        check_file(path)
        if path.stat().st_size > _MOST_BYTES:
            raise RequestError(ErrorCode.TOO_LARGE, f"{path} is larger than 16 MiB")
        return path.read_bytes()
    except OSError as error:
        why = error.strerror or error
        raise RequestError(ErrorCode.FILE, f"{path} cannot be read: {why}") from error


def _text(path: Path, encoding: str | None) -> str:
    data = _bytes(path)
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise RequestError(
            ErrorCode.FILE, f"{path} is a spreadsheet's own file", hint="Save it as CSV (UTF-8)."
        )
    text = decoded(data) if encoding is None else _in(path, data, encoding)
    if encoding is None and unicode_text(data) is None and code_page(data) is None:
        raise RequestError(
            ErrorCode.FILE,
            f"{path} is in an encoding that cannot be told",
            hint="Save it as CSV UTF-8, or name it: --encoding cp1251 (Cyrillic), shift_jis, …",
        )
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _in(path: Path, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        why = f"--encoding {encoding!r} is no encoding"
        hint = "Known are utf-8, utf-16, cp1250, cp1251, cp1252, cp932, gb18030, big5, euc_kr, …"
        raise RequestError(ErrorCode.BAD_REQUEST, why, hint=hint) from None
    except UnicodeError as error:
        why = f"{path} is not in {encoding}: {error}"
        raise RequestError(ErrorCode.FILE, why, hint="Name its own encoding.") from error


def _delimiter(text: str, needed: tuple[str, ...]) -> tuple[str, str]:
    """The table without Excel's `sep=` line, and what stands between its cells."""
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        return rest, first.strip()[4]
    head = next((line for line in text.split("\n") if line.strip()), "")

    def fits(delimiter: str) -> tuple[int, int]:
        names = [_name(cell) for cell in head.split(delimiter)]
        return sum(name in names for name in needed), len(names)

    return text.lstrip("\n"), max(_DELIMITERS, key=fits)


def _name(cell: str) -> str:
    return cell.strip().strip('"').strip().lower()


def _check(path: Path, names: list[str], needed: tuple[str, ...]) -> None:
    lacking = [name for name in needed if name not in names]
    if lacking:
        raise RequestError(
            ErrorCode.FILE,
            f"{path}, line 1: there is no column {' and no column '.join(lacking)}; "
            f"found: {', '.join(filter(None, names)) or 'nothing'}",
            hint=_HINT,
        )
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise RequestError(ErrorCode.FILE, f"{path}, line 1: {', '.join(twice)} is there twice")
