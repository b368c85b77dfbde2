"""`underpaint models`: what can be painted with."""

from __future__ import annotations

import argparse

from ..client import connect
from .output import print_result


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("models", help="list models and samplers")
    parser.add_argument("what", choices=("list", "samplers"))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    with connect() as up:
        listing = up.models()
    if args.what == "samplers":
        samplers = listing["samplers"]
        lines = [f"{item['name']:<22}{item['scheduler']}" for item in samplers]
        print_result({"samplers": samplers}, lines, args.json)
        return 0
    models = listing["models"]
    lines = [
        f"{item['name']:<24}{item['family']:<8}{item['size_mb']:>8.0f} MB  "
        f"controls: {', '.join(item['controls']) or 'none'}"
        for item in models
    ]
    print_result({"models": models}, lines or ["no models"], args.json)
    return 0
