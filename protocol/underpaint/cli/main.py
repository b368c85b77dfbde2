"""`underpaint`: the entry point.

Exit codes: 0 done, 1 failed, 2 bad input, 3 a bar of an eval or bench does not hold, 130 cancelled.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from ..errors import ErrorCode, RequestError, UnderpaintError
from ..version import VERSION
from . import daemon, doctor, forward, generate, jobs, material, models, rerun, scene
from .output import print_error

_CANCELLED, _BAD_INPUT, _FAILED = 130, 2, 1


def main(argv: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments and arguments[0] in forward.COMMANDS:
        return _guarded(lambda: forward.run(arguments), as_json="--json" in arguments)
    args = build_parser().parse_args(arguments)
    return _guarded(lambda: int(args.run(args)), as_json=args.json)


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; commands of the daemon's package are forwarded, see `forward`."""
    parser = argparse.ArgumentParser(
        prog="underpaint",
        description="AI painting for 3D: your scene is the underpainting.",
        epilog=forward.HELP,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (generate, scene, material, rerun, jobs, models, daemon, doctor):
        module.add_commands(commands)
    return parser


def _guarded(run: Callable[[], int], as_json: bool) -> int:
    try:
        return run()
    except KeyboardInterrupt:
        return _CANCELLED
    except UnderpaintError as error:
        print_error(error, as_json)
        if error.code is ErrorCode.CANCELLED:
            return _CANCELLED
        return _BAD_INPUT if isinstance(error, RequestError) else _FAILED
    except OSError as error:  # of the files that the words name, such as --out
        where = f"{error.filename}: " if error.filename else ""
        print_error(RequestError(ErrorCode.FILE, f"{where}{error.strerror or error}"), as_json)
        return _BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
