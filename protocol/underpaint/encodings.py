"""Words from outside: arguments, tables and files in whatever encoding somebody's program wrote."""

from __future__ import annotations

import codecs

from .files.codepages import code_page

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PEEK = 4096


def decoded(data: bytes) -> str:
    """Bytes as text: by their byte order mark; UTF-16 without one, by its zeros; UTF-8; and what
    is none of these in the code page that makes words of it, or else Windows' cp1252, which has a
    sign for nearly every byte. Never raises."""
    text = unicode_text(data)
    return data.decode(code_page(data) or "cp1252", "replace") if text is None else text


def unicode_text(data: bytes) -> str | None:
    """The text that bytes are in some form of Unicode; None when they are none."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    head = data[:_PEEK]
    zeros = head[1::2].count(0), head[::2].count(0)
    ascii_first = len(head) > 3 and sorted((sum(head[1:4:2]), sum(head[:4:2])))[0] == 0 < sum(head)
    if max(zeros) > len(head) // 4 or (ascii_first and min(zeros) == 0):
        return data.decode("utf-16-le" if zeros[0] > zeros[1] else "utf-16-be", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def typed(word: str) -> str:
    """A word of the command line as text: bytes that the shell could not decode (they arrive as
    lone surrogates) are read as `decoded` does."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return decoded(word.encode("utf-8", "surrogateescape" if _escaped(word) else "replace"))
    return word


def _escaped(word: str) -> bool:
    return all("\udc80" <= c <= "\udcff" for c in word if "\ud800" <= c <= "\udfff")
