"""`python -m underpaint_daemon COMMAND`: the daemon itself, and its measuring commands.

Each command is imported only when it is asked for: `serve` must not pay for torch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from .importing import imported

_CANCELLED = 130
COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": ("underpaint_daemon.server.serve:main", "the daemon"),
    "texture": (
        "underpaint_daemon.tools.assets.cli:main",
        "paint a texture into a mesh's own UVs",
    ),
    "models": (
        "underpaint_daemon.tools.hub.cli:main",
        "scan, add, pull, verify, remove models; their defaults; the hub's token",
    ),
    "eval projection": (
        "underpaint_daemon.tools.evals.projection:main",
        "how much of a known texture comes back from pictures of a mesh",
    ),
    "eval sync": (
        "underpaint_daemon.tools.evals.sync:main",
        "whether views that are painted together agree",
    ),
    "eval texture": ("underpaint_starter.judging.eval_texture:main", "a mesh painted, and judged"),
    "eval material": ("underpaint_starter.judging.eval_material:main", "flat materials, judged"),
    "eval starter": ("underpaint_starter.judging.evaluate:main", "the starter model, judged"),
    "eval animation": (
        "underpaint_starter.judging.eval_animation:main",
        "flicker and form over a range of frames",
    ),
    "eval adapters": (
        "underpaint_starter.judging.eval_adapters:main",
        "what LoRAs and image prompts change",
    ),
    "eval families": (
        "underpaint_daemon.tools.evals.families:main",
        "every family of models, on miniatures",
    ),
    "bench transport": (
        "underpaint_daemon.tools.bench.transport:main",
        "the wire, beside what copying costs at least",
    ),
    "bench daemon": (
        "underpaint_daemon.tools.bench.daemon:main",
        "the daemon, beside the bare pipeline",
    ),
    "bench folder": (
        "underpaint_daemon.tools.bench.folder:main",
        "a folder of meshes, beside its jobs' own seconds",
    ),
    "bench families": (
        "underpaint_daemon.tools.bench.families:main",
        "each family's picture, beside diffusers' own pipeline",
    ),
    "bench memory": ("underpaint_daemon.tools.bench.memory:main", "twelve views' memory"),
    "bench faults": (
        "underpaint_daemon.tools.faults.command:main",
        "what becomes of jobs while everything fails",
    ),
    "gpu-check": ("underpaint_daemon.tools.gpu.check:main", "what only a GPU can show, in minutes"),
    "train-starter": ("underpaint_starter.train:main", "train the starter model"),
}
"""Command to `module:function` and what it is; each function takes the remaining words, returns an
exit code."""
_IN_CLIENT = {"eval capture": "captured depth and normals, beside the truth, in each Blender"}
"""Part of `underpaint eval` too, and done by the client."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:  # a part of a second
        from underpaint.cli.guard import guarded
    except KeyboardInterrupt:
        print("cancelled", file=sys.stderr)
        return _CANCELLED
    return guarded(lambda: _run(words), as_json="--json" in words)


def _run(words: list[str]) -> int:
    for count in (2, 1):
        if known := COMMANDS.get(" ".join(words[:count])):
            module, _, name = known[0].partition(":")
            command: Callable[[list[str]], int] = getattr(imported(module), name)
            return command(words[count:])
    room = words[:1] if _below(words[:1]) else []
    rest = words[len(room) :]
    if rest[:1] and rest[0] in ("-h", "--help"):
        print(_usage(room))
        return 0
    from underpaint.cli.terminal.parser import refuse_word

    given = next((word for word in rest if not word.startswith("-")), None)
    refuse_word(given, _below(room), _program(room))


def _below(room: list[str]) -> dict[str, str]:
    """The commands of a room (`eval`, `bench`), or all where it is empty: names, and what they
    are."""
    told = {name: what for name, (_, what) in COMMANDS.items()} | _IN_CLIENT
    start = "".join(f"{word} " for word in room)
    return {name[len(start) :]: what for name, what in told.items() if name.startswith(start)}


def _usage(room: list[str]) -> str:
    names = "\n".join(f"  {name:<16}{what}" for name, what in _below(room).items())
    return f"usage: {_program(room)} WHAT [options]\n\n{names}\n\nEach has --help and --json."


def _program(room: list[str]) -> str:
    return f"underpaint {room[0]}" if room else "python -m underpaint_daemon"


if __name__ == "__main__":
    sys.exit(main())
