"""Tables of assets as spreadsheets and old shells write them.

Any encoding (see `underpaint.encodings`), comma, semicolon, tab or bar, Excel's `sep=` line, any
line end, any order and case of the columns.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from underpaint.encodings import unicode_text
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


@dataclass(frozen=True, slots=True)
class Rows(Sequence[Row]):
    """Rows of a table, each read when it is asked for: a table of thousands takes little more
    memory than its text. `places`: of each row where it begins and ends, and its last line."""

    text: str
    delimiter: str
    names: tuple[str, ...]
    places: array[int]

    def __len__(self) -> int:
        return len(self.places) // 3

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | Sequence[Row]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        first = 3 * range(len(self))[at]
        start, end, line = self.places[first : first + 3]
        cells = next(_reader(_Lines(self.text[start:end]), self.delimiter))
        return Row(line, dict(zip(self.names, (cell.strip() for cell in cells), strict=False)))


def read_rows(path: Path, needed: tuple[str, ...], encoding: str | None = None) -> Rows:
    """The rows of a table that are not blank. needed: columns it must have. encoding: of its
    text; None = to be told from its bytes.

    Raises RequestError(FILE) that says what is wrong and where.
    """
    text = _text(path, encoding).rstrip("\x1a")  # where old programs end a file
    text, delimiter = _delimiter(text, needed)
    _closed(path, text, delimiter)
    lines, places = _Lines(text), array("q")
    reader = _reader(lines, delimiter)
    try:
        names = tuple(_name(cell) for cell in next(reader, []))
        _check(path, names, needed)
        start = lines.end
        for cells in reader:
            if any(cell.strip() for cell in cells):
                places.extend((start, lines.end, reader.line_num))
            start = lines.end
        return Rows(text, delimiter, names, places)
    except csv.Error as error:
        where = f"{path}, line {reader.line_num}"
        raise RequestError(ErrorCode.FILE, f"{where}: {error}", hint=_HINT) from error


class _Lines:
    """Lines of a text with their ends, one at a time (a StringIO would take four bytes a letter);
    `end`: where the last of them ended."""

    def __init__(self, text: str) -> None:
        self._text, self.end = text, 0

    def __iter__(self) -> Iterator[str]:
        while self.end < len(self._text):
            start, self.end = self.end, self._text.find("\n", self.end) + 1 or len(self._text)
            yield self._text[start : self.end]


def _reader(lines: _Lines, delimiter: str, *, strict: bool = False) -> Any:
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=strict)


def _closed(path: Path, text: str, delimiter: str) -> None:
    """Refuse a quotation mark that is not closed: the rows after it would be part of its cell."""
    last = 0
    reader = _reader(_Lines(text), delimiter, strict=True)
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
    text = _told(path, data) if encoding is None else _in(path, data, encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _told(path: Path, data: bytes) -> str:
    text = unicode_text(data)
    if text is not None:
        return text
    page = code_page(data)
    if page is None:
        raise RequestError(
            ErrorCode.FILE,
            f"{path} is in an encoding that cannot be told",
            hint="Save it as CSV UTF-8, or name it: --encoding cp1251 (Cyrillic), shift_jis, …",
        )
    return data.decode(page, "replace")


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
    head = next((line for line in _Lines(text) if line.strip()), "")

    def fits(delimiter: str) -> tuple[int, int]:
        names = [_name(cell) for cell in head.split(delimiter)]
        return sum(name in names for name in needed), len(names)

    return text.lstrip("\n"), max(_DELIMITERS, key=fits)


def _name(cell: str) -> str:
    return cell.strip().strip('"').strip().lower()


def _check(path: Path, names: Sequence[str], needed: tuple[str, ...]) -> None:
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
