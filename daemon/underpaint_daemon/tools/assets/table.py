"""Tables of assets as spreadsheets and old shells write them.

Any encoding (see `underpaint.encodings`), comma, semicolon, tab or bar, Excel's `sep=` line, any
line end, any order and case of the columns.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from underpaint.encodings import decoded, unicode_text
from underpaint.errors import ErrorCode, RequestError
from underpaint.files.codepages import code_page

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


def read_rows(path: Path, needed: tuple[str, ...]) -> list[Row]:
    """The rows of a table that are not blank. needed: columns it must have.

    Raises RequestError(FILE) that says what is wrong and where.
    """
    text = _text(path)
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


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise RequestError(ErrorCode.TOO_LARGE, f"{path} is larger than 16 MiB")
        data = path.read_bytes()
    except OSError as error:
        why = error.strerror or error
        raise RequestError(ErrorCode.FILE, f"{path} cannot be read: {why}") from error
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise RequestError(
            ErrorCode.FILE, f"{path} is a spreadsheet's own file", hint="Save it as CSV (UTF-8)."
        )
    if unicode_text(data) is None and code_page(data) is None:
        raise RequestError(
            ErrorCode.FILE,
            f"{path} is in an encoding that cannot be told",
            hint="Save it as CSV UTF-8.",
        )
    text = decoded(data)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


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
