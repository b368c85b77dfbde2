"""`underpaint`: the entry point. Exit codes: see `guard`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..version import VERSION

if TYPE_CHECKING:  # where Ctrl-C is looked after, imports are below
    import argparse

_CANCELLED = 130
_EXAMPLES = """\
examples:
  underpaint generate --prompt "a red brick head" --view view.npz --out out
  underpaint texture spot.obj --prompt "red bricks" --out out
  underpaint render scene.blend --prompt "red bricks" --out out
  underpaint doctor

`underpaint COMMAND --help` has the examples and options of each. Results go to stdout, progress and
errors to stderr; with --json, stdout is one JSON object, of an error too."""


def main(argv: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["help"]:  # as many programs have it
        arguments = [*arguments[1:], "--help"]
    try:  # these take a part of a second, too
        from . import forward, guard
    except KeyboardInterrupt:
        print("cancelled", file=sys.stderr)
        return _CANCELLED
    if arguments and forward.takes(arguments):
        return guard.guarded(lambda: forward.run(arguments), as_json="--json" in arguments)
    return guard.guarded(lambda: _run(arguments), as_json="--json" in arguments)


def _run(arguments: list[str]) -> int:
    from .guard import Exit

    parser = build_parser()
    if not arguments:
        print(parser.format_help().rstrip(), file=sys.stderr)
        return Exit.BAD_INPUT
    args = parser.parse_args(arguments)
    return int(args.run(args))


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; commands of the daemon's package are forwarded, see `forward`."""
    # Imported here, where Ctrl-C is looked after: they take a part of a second.
    from . import config, daemon, doctor, enlarge, generate, guard, material, models, rerun, scene
    from .queue import jobs
    from .terminal.parser import Parser

    exit_codes = (guard.__doc__ or "").partition("\n\n")[2]
    parser: argparse.ArgumentParser = Parser(
        prog="underpaint",
        description="AI painting for 3D: your scene is the underpainting.",
        epilog=f"{_EXAMPLES}\n\nexit codes:\n{exit_codes}",
    )
    parser.add_argument("--version", action="version", version=VERSION, help="print the version")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", title="commands"
    )
    generate.add_commands(commands)
    _forwarded(commands, "texture")
    for module in (scene, material, enlarge, rerun, jobs, models, daemon, doctor, config):
        module.add_commands(commands)
    _forwarded(commands, "eval", "bench", "train-starter")
    return parser


def _forwarded(commands: argparse._SubParsersAction[argparse.ArgumentParser], *names: str) -> None:
    """Commands that never come here: they are listed, and known when another is misspelt."""
    from .forward import COMMANDS

    for name in names:
        commands.add_parser(name, help=COMMANDS[name], add_help=False)


if __name__ == "__main__":
    sys.exit(main())
