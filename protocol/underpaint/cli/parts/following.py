"""What is drawn of a view's scene, and what of it is left alone: `--control …:from=`,
`--leave-alone`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...animation.scene_parts import Parts, kept_in
from ...buffers import Buffers
from ...encodings import typed
from ...errors import ErrorCode, RequestError
from ...files.viewfile import SceneObject, load_objects, load_sights
from ...following.leaving import leave_alone
from ...following.sights import Sighted
from ...requests import ImageRequest, InpaintRequest, Request
from ..options import grouped
from .controls import drawings_of, with_drawings

_LOCKED = ""
_HELP = """\
an object of the view that stays as the view shows it, by its name; without a name
those that are locked in the scene; repeat for several"""


def add_leave_alone(parser: argparse.ArgumentParser) -> None:
    """`--leave-alone`; `parts_of` and `leave_alone_in` read it."""
    grouped(parser, "parts of the picture").add_argument(
        "--leave-alone",
        action="append",
        nargs="?",
        const=_LOCKED,
        default=[],
        type=typed,
        metavar="OBJECT",
        help=_HELP,
    )


def parts_of(args: argparse.Namespace) -> Parts:
    """What each frame is asked for by what it shows. Raises RequestError."""
    left = tuple(name for name in args.leave_alone if name != _LOCKED)
    return Parts(
        drawings_of(args.control),
        left,
        locked=_LOCKED in args.leave_alone,
        object_words=args.object_prompts,
    )


def follow(args: argparse.Namespace, request: Request, buffers: Buffers) -> Request:
    """The request with what is drawn of its view. Raises RequestError."""
    drawings = drawings_of(args.control)
    if not any(drawings) or not isinstance(request, ImageRequest | InpaintRequest):
        return request
    if args.view is None:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "--control …:from= draws what a view's scene shows, and there is no view",
            hint="Give --view, as `underpaint capture` writes it.",
        )
    seen = _sighted(args, request, buffers, load_objects(args.view))
    controls = with_drawings(request.controls, drawings, seen, buffers)
    return replace(request, controls=controls)


def leave_alone_in(args: argparse.Namespace, request: Request, buffers: Buffers) -> Request:
    """The request, painting nothing of what is to be left alone. Raises RequestError."""
    if not args.leave_alone:
        return request
    view = getattr(request, "view", None)
    if not isinstance(request, ImageRequest) or request.init is not None or view is None:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "--leave-alone keeps objects of a view as it shows them; it goes with a view, and "
            "without --init and --mask",
        )
    objects = load_objects(args.view) if args.view is not None else {}
    seen, parts = _sighted(args, request, buffers, objects), parts_of(args)
    names = {one.name for one in objects.values()}
    unknown = [name for name in parts.left if name not in names]
    if unknown or view.color is None:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"--leave-alone {', '.join(unknown)}: the view shows no object of that name",
            hint=f"Objects in the view: {', '.join(sorted(names))}." if names else None,
        )
    return leave_alone(request, kept_in(parts, objects, seen), buffers)


def _sighted(
    args: argparse.Namespace,
    request: ImageRequest | InpaintRequest,
    buffers: Buffers,
    objects: Mapping[int, SceneObject],
) -> Sighted:
    view = request.view
    assert view is not None
    ids: Any = None if view.object_id is None else buffers[view.object_id.sha256]
    names = {number: one.name for number, one in objects.items()}
    return Sighted((view.camera.width, view.camera.height), load_sights(args.view), ids, names)
