"""The error tree is one truth: a code's class, and a hint that is good where it is read."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from underpaint import errors
from underpaint.errors import ErrorCode, ProtocolError, UnderpaintError, error_from_dict

ROOT = Path(__file__).parents[3]
CLASSES = {"UnderpaintError", "RequestError", "ConnectionLost", "JobFailed", "ProtocolError"}
# A decoder's errors are all ProtocolErrors; the peer that is told of one sees its code.
DECODERS = {("ProtocolError", "TOO_LARGE")}


@cache
def raised() -> list[tuple[str, str, str, str]]:
    """(class, code, hint, where) of every error that the sources make with a code written out."""
    found = []
    for folder in ("protocol/underpaint", "daemon", "blender_addon"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CLASSES:
                    found += _told(node, f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def _told(node: ast.Call, where: str) -> list[tuple[str, str, str, str]]:
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    codes = [
        value.attr
        for value in values
        if isinstance(value, ast.Attribute) and getattr(value.value, "id", "") == "ErrorCode"
    ]
    hints = [k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)]
    hint = next((text for text in hints if isinstance(text, str)), "")
    return [(node.func.id, code, hint, where) for code in codes]


def test_a_code_has_one_class_wherever_it_is_raised() -> None:
    assert len(raised()) > 100
    for name, code, _hint, where in raised():
        if (name, code) not in DECODERS:
            known = error_from_dict({"code": ErrorCode[code].value, "message": "m"})
            assert type(known).__name__ == name, f"{where}: {code} is a {type(known).__name__}"


@pytest.mark.parametrize("code", ErrorCode)
def test_an_error_comes_back_from_the_wire_as_it_went(code: ErrorCode) -> None:
    kind = type(error_from_dict({"code": code.value}))
    sent = kind("m", code=code) if kind is ProtocolError else kind(code, "m")
    back = error_from_dict(sent.to_dict())
    assert type(back) is type(sent)
    assert back.to_dict() == sent.to_dict()
    assert back.terminal_hint == sent.terminal_hint


@pytest.mark.parametrize("code", ErrorCode)
def test_a_hint_that_a_panel_shows_names_no_command(code: ErrorCode) -> None:
    error = error_from_dict({"code": code.value})
    assert error.hint
    assert "`" not in error.hint
    assert "--" not in error.hint


def test_no_hint_of_the_daemon_is_written_for_a_terminal() -> None:
    for _name, _code, hint, where in raised():
        if "/cli" not in where and "/tools/" not in where and "settings.py" not in where:
            assert "`underpaint" not in hint, where


def test_a_hint_of_its_own_is_shown_everywhere() -> None:
    error: UnderpaintError = errors.RequestError(ErrorCode.MODEL_MISSING, "m", hint="Ask Ada.")
    assert (error.hint, error.terminal_hint) == ("Ask Ada.", "Ask Ada.")
    usual = errors.RequestError(ErrorCode.MODEL_MISSING, "m")
    assert "`underpaint models list`" in usual.terminal_hint
