"""`underpaint models`: what can be painted with."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from ..client import connect
from ..requests import Sampler
from .options import add_json
from .output import print_result


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("models", help="list models and samplers")
    parser.add_argument("what", nargs="?", default="list", choices=("list", "samplers"))
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    if args.what == "samplers":
        names = [sampler.value for sampler in Sampler]
        print_result({"samplers": names}, names, args.json)
        return 0
    with connect() as up:
        models = up.models()
    lines = [
        f"{model.name:<24}{model.family:<8}{model.native_size:>5}²  "
        f"controls: {', '.join(model.controls) or 'none'}  {model.note}"
        for model in models
    ]
    print_result({"models": [asdict(m) for m in models]}, lines or ["no models"], args.json)
    return 0
