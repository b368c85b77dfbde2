"""`underpaint`: the entry point. Exit codes: see `guard`."""

from __future__ import annotations

import argparse
import sys

from ..version import VERSION
from . import forward, guard

_EXIT_CODES = (guard.__doc__ or "").partition("\n\n")[2]


def main(argv: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments and forward.takes(arguments):
        return guard.guarded(lambda: forward.run(arguments), as_json="--json" in arguments)
    return guard.guarded(lambda: _run(arguments), as_json="--json" in arguments)


def _run(arguments: list[str]) -> int:
    args = build_parser().parse_args(arguments)
    return int(args.run(args))


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; commands of the daemon's package are forwarded, see `forward`."""
    # Imported here, where Ctrl-C is looked after: they take a part of a second.
    from . import config, daemon, doctor, enlarge, generate, jobs, material, models, rerun, scene

    parser = guard.Parser(
        prog="underpaint",
        description="AI painting for 3D: your scene is the underpainting.",
        epilog=f"{forward.HELP}\nexit codes:\n{_EXIT_CODES}",
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (generate, enlarge, scene, material, rerun, jobs, models, daemon, doctor, config):
        module.add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
