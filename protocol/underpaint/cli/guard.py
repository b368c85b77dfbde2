"""How every command of the house ends: one table of exit codes, one way to say what failed.

code  when
----  --------------------------------------------------------------------------------
0     done
1     it failed, through no fault of what was asked: a job, the daemon, memory, a full disk;
      results that are kept elsewhere than asked; or `doctor` found a fault
2     bad input: an option, a file, a request, a mesh; nothing was begun
3     a bar of an `eval` or `bench` does not hold
129   cancelled: the terminal was closed (SIGHUP)
130   cancelled: Ctrl-C, or the job was cancelled elsewhere
141   whoever read the output went away
143   cancelled: SIGTERM, as `kill` and services send it
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum

from ..errors import ErrorCode, RequestError, UnderpaintError, why
from .output import into_nothing, print_error, printed
from .stopping import number_of, stoppable

_SIGNALLED = 128
_PLACE = "Give a file or folder that can be read and written."


class Exit(IntEnum):
    """The table."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    BAR_MISSED = 3
    HUNG_UP = 129
    CANCELLED = 130
    NO_READER = 141
    TERMINATED = 143


def exit_code(error: UnderpaintError) -> Exit:
    """The table's row for an error."""
    if error.code is ErrorCode.CANCELLED:
        return Exit.CANCELLED
    # A full disk is met by a request, but is not what was wrong with it.
    met = error.code in (ErrorCode.DISK_FULL, ErrorCode.NOT_SAVED)
    blameless = met or not isinstance(error, RequestError)
    return Exit.FAILED if blameless else Exit.BAD_INPUT


def guarded(run: Callable[[], int], *, as_json: bool) -> int:
    """Run a command; whatever a user can meet is said on stderr, and with `as_json` as
    `{"error": …}` on stdout. Returns the exit code."""
    _write_anything()
    try:
        with stoppable():
            code = run()
        printed()
        return code
    except KeyboardInterrupt as stop:
        with suppress(OSError):  # a terminal that is gone
            print("cancelled", file=sys.stderr)
        return _SIGNALLED + number_of(stop)
    except UnderpaintError as error:
        print_error(error, as_json)
        return exit_code(error)
    except BrokenPipeError:
        into_nothing()
        return Exit.NO_READER
    except OSError as error:  # of the files that the words name, such as --out
        found = of_a_file(error)
        print_error(found, as_json)
        return exit_code(found)


def of_a_file(error: OSError) -> RequestError:
    """What the system refused of a file or folder, as an error with its fix."""
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RequestError(ErrorCode.DISK_FULL, f"{where}{why(error)}")
    if error.errno in (errno.EEXIST, errno.ENOTDIR) and error.filename:
        told = f"{error.filename}: there is a file where a folder is to be"
        return RequestError(ErrorCode.FILE, told, hint="Give another folder.")
    return RequestError(ErrorCode.FILE, f"{where}{why(error)}", hint=_PLACE)


def _write_anything() -> None:
    """A terminal of another encoding shows `?` for what it has no sign for, and no traceback. A
    stream that was closed before (`>&-`) is nowhere."""
    sys.stdout, sys.stderr = (
        stream or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (until the end)
        for stream in (sys.stdout, sys.stderr)
    )
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
