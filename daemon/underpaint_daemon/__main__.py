"""`python -m underpaint_daemon COMMAND`: the daemon itself, and its measuring commands.

Each command is imported only when it is asked for: `serve` must not pay for torch.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence

from underpaint.cli.guard import Exit, guarded

COMMANDS: Mapping[str, str] = {
    "serve": "underpaint_daemon.server.serve:main",
    "bench transport": "underpaint_daemon.tools.bench.transport:main",
    "bench daemon": "underpaint_daemon.tools.bench.daemon:main",
    "bench folder": "underpaint_daemon.tools.bench.folder:main",
    "bench memory": "underpaint_daemon.tools.bench.memory:main",
    "bench faults": "underpaint_daemon.tools.faults.command:main",
    "gpu-check": "underpaint_daemon.tools.gpu.check:main",
    "models": "underpaint_daemon.tools.hub.cli:main",
    "eval families": "underpaint_daemon.tools.evals.families:main",
    "eval starter": "underpaint_starter.judging.evaluate:main",
    "eval projection": "underpaint_daemon.tools.evals.projection:main",
    "eval sync": "underpaint_daemon.tools.evals.sync:main",
    "eval adapters": "underpaint_starter.judging.eval_adapters:main",
    "eval texture": "underpaint_starter.judging.eval_texture:main",
    "eval animation": "underpaint_starter.judging.eval_animation:main",
    "eval material": "underpaint_starter.judging.eval_material:main",
    "train-starter": "underpaint_starter.train:main",
    "texture": "underpaint_daemon.tools.assets.cli:main",
}
"""Command to `module:function`; each function takes the remaining words, returns an exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command."""
    words = list(sys.argv[1:] if argv is None else argv)
    for count in (2, 1):
        target = COMMANDS.get(" ".join(words[:count]))
        if target is not None:
            return _run(target, words[count:])
    wanted_help = words[:1] in (["-h"], ["--help"])
    print(_usage(), file=sys.stdout if wanted_help else sys.stderr)
    return 0 if wanted_help else Exit.BAD_INPUT


def _run(target: str, words: list[str]) -> int:
    module, _, name = target.partition(":")
    command: Callable[[list[str]], int] = getattr(importlib.import_module(module), name)
    return guarded(lambda: command(words), as_json="--json" in words)


def _usage() -> str:
    names = "\n".join(f"  {name}" for name in COMMANDS)
    return f"usage: python -m underpaint_daemon COMMAND …\ncommands:\n{names}"


if __name__ == "__main__":
    sys.exit(main())
