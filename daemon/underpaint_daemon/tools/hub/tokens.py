"""The token for gated models: where it is kept, and how it gets there without being seen.

Looked for in HF_TOKEN, then in the system's keyring where the `keyring` library is installed, then
in the data folder's `hub_token`. It is never taken from the command line, which every program of
the machine can read, and never printed.
"""

from __future__ import annotations

import getpass
import importlib.util
import stat
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint_daemon.common.disk import as_error, write_whole

VARIABLE = "HF_TOKEN"
FILE = "hub_token"
SERVICE, USER = "underpaint", "hub token"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LONGEST = 512
# Of a library that reads its own settings and talks to the desktop; its own errors beside.
_FAILURES = (ImportError, AttributeError, RuntimeError, OSError, ValueError)


def hub_token(paths: Paths, environ: Mapping[str, str]) -> str | None:
    """The token of the first place that has one, None without.

    A keyring that cannot be asked (locked, no desktop) is told on stderr and passed over. Raises
    RequestError: ACCESS_DENIED for a file that others may read, BAD_REQUEST for what is no token.
    """
    places: Mapping[str, Callable[[], str | None]] = {
        VARIABLE: lambda: environ.get(VARIABLE),
        "the keyring": _from_keyring,
        FILE: lambda: _from_file(paths.data / FILE),
    }
    for place, read in places.items():
        if token := (read() or "").strip():
            return checked(token, place)
    return None


def whereabouts(paths: Paths, environ: Mapping[str, str]) -> dict[str, bool | str]:
    """Which places have a token, and what is wrong with the keyring ("" nothing)."""
    ring, problem = None, ""
    try:
        ring = stored_in_keyring()
    except RequestError as error:
        problem = f"{error.message}. {error.hint}"
    return {
        "variable": bool(environ.get(VARIABLE, "").strip()),
        "keyring": bool(ring),
        "file": bool(_from_file(paths.data / FILE)),
        "keyring_problem": problem,
    }


def store_in_keyring(token: str) -> None:
    """Raises RequestError(ACCESS_DENIED) without a keyring that keeps it."""
    ring, failures = _keyring()
    try:
        ring.set_password(SERVICE, USER, token)
        kept = ring.get_password(SERVICE, USER) == token
    except failures as error:
        raise _cannot("keep the token", error) from None
    if not kept:  # keyring's null backend takes everything, and has nothing
        raise _cannot("keep the token", None)


def store_in_file(paths: Paths, token: str) -> Path:
    """Into the data folder's file, which is its owner's alone from its first byte on."""
    file = paths.data / FILE
    try:
        write_whole(file, f"{token}\n".encode())
    except OSError as error:
        raise as_error(error, f"{file} cannot be written") from error
    return file


def remove(paths: Paths) -> tuple[list[str], str]:
    """Take it out of file and keyring: from where it was taken, and what is wrong with the keyring
    ("" nothing, or none is installed). Raises RequestError when it cannot be taken out."""
    removed = []
    file = paths.data / FILE
    if file.is_file():
        file.unlink()
        removed.append(str(file))
    if importlib.util.find_spec("keyring") is None:
        return removed, ""
    try:
        there = stored_in_keyring()
    except RequestError as error:
        return removed, error.message
    if there:
        ring, failures = _keyring()
        try:
            ring.delete_password(SERVICE, USER)
        except failures as error:
            raise _cannot("give the token up", error) from None
        removed.append("the keyring")
    return removed, ""


def stored_in_keyring() -> str | None:
    """What the keyring has. Raises RequestError(ACCESS_DENIED) when it cannot be asked."""
    ring, failures = _keyring()
    try:
        token: str | None = ring.get_password(SERVICE, USER)
    except failures as error:
        raise _cannot("be asked", error) from None
    return token


def asked_for() -> str:
    """A token typed unseen on a terminal, or the first line of what is piped in.

    Raises RequestError(BAD_REQUEST) where it would be seen, or is none.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        return checked((sys.stdin.readline() if sys.stdin else "").strip(), "standard input")
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            typed = getpass.getpass("Token (what you type is not shown): ")
        except (getpass.GetPassWarning, EOFError):
            raise RequestError(
                ErrorCode.BAD_REQUEST,
                "This terminal would show the token",
                hint="Pipe it in from a file.",
            ) from None
    return checked(typed.strip(), "what was typed")


def checked(token: str, place: str) -> str:
    """The token, where it can be sent in a header. Raises RequestError that does not show it."""
    if token and len(token) <= _LONGEST and all("!" <= sign <= "~" for sign in token):
        return token
    raise RequestError(
        ErrorCode.BAD_REQUEST,
        f"What {place} holds is no token",
        hint="A token is one line of letters, digits and signs, as the hub shows it when it is "
        "made (hf_…).",
    )


def _from_keyring() -> str | None:
    if importlib.util.find_spec("keyring") is None:
        return None
    try:
        return stored_in_keyring()
    except RequestError as error:
        print(error.message, file=sys.stderr)
        return None


def _from_file(file: Path) -> str | None:
    if not file.is_file():
        return None
    if sys.platform != "win32" and file.stat().st_mode & _OTHERS:
        raise RequestError(
            ErrorCode.ACCESS_DENIED, f"Others can read {file}", hint=f"Run: chmod 600 {file}"
        )
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(ErrorCode.FILE, f"{file} cannot be read: {error}") from error


def _keyring() -> tuple[Any, tuple[type[Exception], ...]]:
    """The library, and how it fails. Raises RequestError(ACCESS_DENIED) where it is not."""
    if importlib.util.find_spec("keyring") is None:
        raise RequestError(
            ErrorCode.ACCESS_DENIED,
            "The system's keyring cannot be used: Python's `keyring` is not installed",
            hint=f"Run `{sys.executable} -m pip install keyring`, or keep the token in a file "
            "that only you can read: underpaint models token store --file",
        )
    try:
        import keyring
        from keyring.errors import KeyringError
    except _FAILURES as error:
        raise _cannot("be used", error) from None
    return keyring, (KeyringError, *_FAILURES)


def _cannot(what: str, error: Exception | None) -> RequestError:
    lines = str(error or "").strip().splitlines()
    told = lines[0] if lines else "it has no backend here"
    return RequestError(
        ErrorCode.ACCESS_DENIED,
        f"The system's keyring cannot {what}: {told}",
        hint="Unlock it or choose a backend (`keyring --list-backends`, PYTHON_KEYRING_BACKEND), "
        "or keep the token in a file that only you can read: underpaint models token store --file",
    )
