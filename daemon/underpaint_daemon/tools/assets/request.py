"""The request that a command line means for one asset."""

from __future__ import annotations

import argparse
from dataclasses import replace

from underpaint.buffers import Buffers
from underpaint.cli.options import chosen, loras_of, pattern_of, pbr_of, sampling_of
from underpaint.cli.parts.controls import controls_of
from underpaint.cli.parts.references import references_of
from underpaint.requests import MeshRef, Method, TextureRequest

from ..meshes.files import MeshFile, mesh_ref
from .cli_edit import continued, edited, with_earlier_uvs
from .cli_objects import object_prompts
from .folder import Asset


def build_request(
    file: MeshFile, asset: Asset, args: argparse.Namespace
) -> tuple[MeshFile, TextureRequest, Buffers]:
    """The mesh (with the UVs of an earlier result, if there are some), what to do with it, and its
    arrays. Raises RequestError."""
    buffers = Buffers()
    file = with_earlier_uvs(file, args.earlier)
    ref = mesh_ref(file.corners, buffers)
    if args.earlier is not None:
        request = continued(args, ref, asset, buffers)
    else:
        request = _anew(ref, asset, args, buffers)
    if asset.objects:
        request = replace(request, object_prompts=object_prompts(asset.objects, file.names))
    unwrap = bool(file.corners.bare.any())
    request = replace(request, unwrap=unwrap)
    return file, edited(request, args, file.corners.uv, buffers), buffers


def _anew(
    mesh: MeshRef, asset: Asset, args: argparse.Namespace, buffers: Buffers
) -> TextureRequest:
    return TextureRequest(
        prompt=asset.prompt,
        mesh=mesh,
        model=args.model,
        method=chosen(Method, "--method", args.method),
        sampling=sampling_of(args, asset.seed),
        controls=controls_of(args.control, buffers),
        pattern=pattern_of(args),
        view_count=args.views,
        view_size=args.view_size,
        size=args.size,
        loras=loras_of(args),
        references=references_of(args, buffers),
        pbr=pbr_of(args),
    )
