"""What families are tried with: a view, pictures, a mask and a mesh, always the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from underpaint.buffers import BufferRef, Buffers, Kind
from underpaint.cameras import Camera
from underpaint.requests import MeshRef, View
from underpaint_daemon.worker.texturing.surface.mesh import Mesh

from .meshes import mesh_ref
from .shapes import two_shell_box

Image8 = npt.NDArray[np.uint8]
SIDE = 64
_IDENTITY = tuple(np.eye(4).flatten().tolist())


@dataclass(frozen=True, slots=True)
class Things:
    """What the requests are made of."""

    view: View
    picture: BufferRef
    other: BufferRef
    mask: BufferRef
    left: BufferRef
    mesh: MeshRef

    @classmethod
    def into(cls, buffers: Buffers) -> Things:
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[16:48, 16:48] = 255
        left = np.zeros((SIDE, SIDE), np.uint8)
        left[:, : SIDE // 2] = 255
        return cls(
            view=ball(buffers),
            picture=buffers.add(Kind.COLOR, picture(1)),
            other=buffers.add(Kind.COLOR, picture(2)),
            mask=buffers.add(Kind.MASK, mask),
            left=buffers.add(Kind.MASK, left),
            mesh=mesh_ref(in_two(two_shell_box()), buffers),
        )


def in_two(mesh: Mesh) -> Mesh:
    """The same mesh, what lies in the right half of its texture another object."""
    right = mesh.uv.reshape(-1, 3, 2).mean(1)[:, 0] > 0.5
    ids = mesh.ids.clone()
    ids[:, 0] = 1 + right.repeat_interleave(3)
    return replace(mesh, ids=ids)


def ball(buffers: Buffers) -> View:
    """A ball of radius 1 m, four metres away; exact depth and normals."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    u, v = (x + 0.5) / SIDE * 3 - 1.5, 1.5 - (y + 0.5) / SIDE * 3
    inside = u**2 + v**2 < 1
    z = np.sqrt(np.clip(1 - u**2 - v**2, 0, None))
    depth = np.where(inside, 5 - z, np.inf).astype(np.float32)
    normal = np.where(inside[..., None], np.stack((u, v, z), -1), (0, 0, 1))
    colour = np.where(inside[..., None], (200, 60, 40), (70, 90, 120)).astype(np.uint8)
    return View(
        camera=Camera(_IDENTITY, _IDENTITY, SIDE, SIDE, 0.1, 100.0),
        depth=buffers.add(Kind.DEPTH, depth),
        normal=buffers.add(Kind.NORMAL, np.round((normal * 0.5 + 0.5) * 255).astype(np.uint8)),
        color=buffers.add(Kind.COLOR, colour),
    )


def picture(seed: int) -> Image8:
    """Coarse patches of colour, (64, 64, 3), other ones for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (4, 4, 3))
    return np.repeat(np.repeat(coarse, 16, 0), 16, 1).astype(np.uint8)
