"""`underpaint models`: what can be painted with."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..client import connect
from ..requests import Sampler
from ..samplers import ABOUT_SAMPLERS
from ..wire.records import ModelInfo
from . import forward
from .options import add_json
from .output import print_result, told_count

_EXAMPLES = """\
examples:
  underpaint models                  what can be painted with, and how it paints by itself
  underpaint models samplers         what each sampler is good for
  underpaint models scan --add       use what other programs have on this machine
  underpaint models pull             what the catalogue has"""
_WHAT = (
    "default: list; scan, add, pull, token, verify, remove and defaults have a --help of their own"
)


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "models", help="list models and samplers; find, fetch and check models", epilog=_EXAMPLES
    )
    words = ("list", "samplers", *forward.MODELS)  # the latter never come here
    parser.add_argument("what", nargs="?", default="list", choices=words, help=_WHAT)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    if args.what == "samplers":
        names = [sampler.value for sampler in Sampler]
        lines = [f"{sampler.value:<20}{ABOUT_SAMPLERS[sampler]}" for sampler in Sampler]
        print_result({"samplers": names}, lines, args.json)
        return 0
    with connect() as up:
        models = up.models()
    lines = [line for model in models for line in _described(model)]
    print_result({"models": [asdict(m) for m in models]}, lines or ["no models"], args.json)
    return 0


def _described(model: ModelInfo) -> list[str]:
    """A model in two lines: what it is and can be given, and what it paints with by itself."""
    controls = ", ".join(model.controls) or "none"
    first = f"{model.name:<24}{model.family:<8}controls: {controls}  {model.note}".rstrip()
    return [first, f"{'':24}{defaults_line(model.defaults)}"] if model.defaults else [first]


def defaults_line(defaults: Mapping[str, Any]) -> str:
    """A model's own settings in words."""
    told = str(defaults.get("distillation", ""))
    words = [
        f"{defaults['size']}²",
        f"{defaults['sampler']}, {told_count(defaults['steps'], 'step')}",
        f"guidance {defaults['guidance']:g}",
        *([told] if told else []),
    ]
    controls = ", ".join(_control_words(control) for control in defaults["controls"])
    return ", ".join(words) + (f"; a view's controls: {controls}" if controls else "")


def _control_words(control: Mapping[str, Any]) -> str:
    scale = control.get("scale", 1.0)
    return str(control["kind"]) if scale == 1.0 else f"{control['kind']} {scale:g}"
