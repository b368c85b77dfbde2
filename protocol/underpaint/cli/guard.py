"""How every command of the house ends: one table of exit codes, one way to say what failed.

code  when
----  --------------------------------------------------------------------------------
0     done
1     it failed, through no fault of what was asked: a job, the daemon, memory, a full disk;
      results that are kept elsewhere than asked; or `doctor` found a fault
2     bad input: an option, a file, a request, a mesh; nothing was begun
3     a bar of an `eval` or `bench` does not hold
130   cancelled: Ctrl-C, or the job was cancelled elsewhere
141   whoever read the output went away
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from enum import IntEnum

from ..errors import ErrorCode, RequestError, UnderpaintError
from .output import print_error

_PLACE = "Give a file or folder that can be read and written."


class Exit(IntEnum):
    """The table."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    BAR_MISSED = 3
    CANCELLED = 130
    NO_READER = 141


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
        code = run()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("cancelled", file=sys.stderr)
        return Exit.CANCELLED
    except UnderpaintError as error:
        print_error(error, as_json)
        return exit_code(error)
    except BrokenPipeError:
        # Python would complain once more when it closes what nobody reads.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.NO_READER
    except OSError as error:  # of the files that the words name, such as --out
        where = f"{error.filename}: " if error.filename else ""
        print_error(
            RequestError(ErrorCode.FILE, f"{where}{error.strerror or error}", hint=_PLACE), as_json
        )
        return Exit.BAD_INPUT


def _write_anything() -> None:
    """A terminal of another encoding shows `?` for what it has no sign for, and no traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
