"""PBR maps of meshes: on surfaces whose answer is known, and from end to end."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from underpaint_daemon.worker.materials.estimates import stuff_of
from underpaint_daemon.worker.materials.marigold import as_srgb
from underpaint_daemon.worker.texturing.cameras.render import ViewBuffers
from underpaint_daemon.worker.texturing.job.pbr import Estimators, pbr_maps
from underpaint_daemon.worker.texturing.maps.delight import fit_light
from underpaint_daemon.worker.texturing.maps.occlusion import ambient_occlusion
from underpaint_daemon.worker.texturing.maps.relief import Surface, as_tensor, leaning, leaning_of
from underpaint_daemon.worker.texturing.maps.tangents import texel_frames
from underpaint_daemon.worker.texturing.projection.project import (
    Options,
    Texture,
    painted_view,
    project,
)
from underpaint_daemon.worker.texturing.surface.atlas import build_tile
from underpaint_daemon.worker.texturing.surface.mesh import Mesh
from underpaint_daemon.worker.texturing.surface.reception import mesh_from_arrays

from helpers.meshes.sync_scene import torus, two_objects, views_of

torch.set_num_threads(1)
SIZE = 128


def square(*, mirrored: bool = False, turned: bool = False) -> Mesh:
    """A square of 2 m in the XZ plane, facing -Y (front); u runs along +X and v along +Z, unless
    the UV map is mirrored (u along -X) or turned (u along +Z, v along -X)."""
    corner = np.array(
        [[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, -1], [1, 0, 1], [-1, 0, 1]], "f4"
    )
    x, z = (corner[:, 0] + 1) / 2, (corner[:, 2] + 1) / 2
    u, v = (1 - x, z) if mirrored else (z, 1 - x) if turned else (x, z)
    normal = np.tile(np.array([[0, -1, 0]], "f4"), (6, 1))
    return mesh_from_arrays(corner, normal, np.stack([u, v], 1) * 0.96 + 0.02)


@pytest.mark.parametrize(
    ("options", "tangent", "bitangent"),
    [
        ({}, (1, 0, 0), (0, 0, 1)),
        ({"mirrored": True}, (-1, 0, 0), (0, 0, 1)),
        ({"turned": True}, (0, 0, 1), (-1, 0, 0)),
    ],
)
def test_frames_follow_the_uv_map(options, tangent, bitangent) -> None:
    mesh = square(**options)
    frames = texel_frames(mesh, build_tile(mesh, 1001, 32))
    for found, wanted in (
        (frames.tangent, tangent),
        (frames.bitangent, bitangent),
        (frames.normal, (0, -1, 0)),
    ):
        assert (found - torch.tensor(wanted).float()).abs().max() < 1e-5


def test_frames_of_a_torus_are_the_derivatives_of_its_parameters() -> None:
    mesh = torus(96, 48)
    tile = build_tile(mesh, 1001, SIZE)
    frames = texel_frames(mesh, tile)
    column = (tile.index % SIZE + 0.5) / SIZE
    around = ((column - 0.01) / 0.98 * 2 * math.pi).double()
    exact = torch.stack([-around.sin(), torch.zeros_like(around), around.cos()], 1)
    angle = (frames.tangent.double() * exact).sum(1).clamp(-1, 1).arccos().rad2deg()
    assert angle[tile.core].max() < 2.5
    world = torch.nn.functional.normalize(torch.randn(len(tile.index), 3), dim=1)
    back = frames.to_world(frames.to_tangent(world))
    assert (back - world).abs().max() < 1e-5


Rise = Callable[[np.ndarray, np.ndarray], np.ndarray]


def gathered(mesh: Mesh, views: Sequence[ViewBuffers], leans: Sequence[np.ndarray]) -> Tensor:
    """Tangent-space normals (N, 3) of a tile's core texels from what views say."""
    seen = [painted_view(v, as_tensor(lean)) for v, lean in zip(views, leans, strict=True)]
    texture = project(mesh, seen, Options(size=SIZE, anchor=None))[0]
    tile = build_tile(mesh, 1001, SIZE)
    rows = torch.from_numpy(texture.color).reshape(-1, 3)[tile.index]
    frames = texel_frames(mesh, tile)
    return frames.to_tangent(torch.nn.functional.normalize(frames.normal + rows, dim=1))


def bumps(mesh: Mesh, size: int = SIZE) -> tuple[Tensor, Tensor]:
    """Texels of the square, and the tangent-space normals of h = 0.02 sin(12 x) + 0.01 sin(9 z)."""
    tile = build_tile(mesh, 1001, size)
    x, z = tile.points.position[:, 0], tile.points.position[:, 2]
    slopes = torch.stack([0.24 * (12 * x).cos(), 0.09 * (9 * z).cos()], 1)
    world = torch.stack([-slopes[:, 0], -torch.ones_like(x), -slopes[:, 1]], 1)
    world = torch.nn.functional.normalize(world, dim=1)
    return tile.index, texel_frames(mesh, tile).to_tangent(world)


def height_at(position: np.ndarray) -> np.ndarray:
    return 0.02 * np.sin(12 * position[..., 0]) + 0.01 * np.sin(9 * position[..., 2])


def error_deg(found: Tensor, wanted: Tensor) -> Tensor:
    return (found * wanted).sum(1).clamp(-1, 1).arccos().rad2deg()


@pytest.mark.parametrize("options", [{}, {"mirrored": True}, {"turned": True}])
def test_heights_seen_from_any_side_become_the_normals_they_have(options) -> None:
    """An analytic relief, looked at from three cameras, in three UV layouts."""
    mesh = square(**options)
    views = views_of(mesh, 256, azimuths=[0.0, 35.0, 325.0])
    surfaces = [Surface.of(view, view.size) for view in views]
    leans = [leaning(height_at(s.position), s) for s in surfaces]
    found = gathered(mesh, views, leans)
    _, wanted = bumps(mesh)
    assert error_deg(found, wanted).median() < 1
    assert error_deg(torch.tensor([[0.0, 0, 1]]), wanted).median() > 5


def test_a_model_that_sees_camera_space_normals_gives_the_same_map() -> None:
    """Camera space (OpenGL) to the mesh's tangent space; what the model gets wrong of the large
    shape (here 20 degrees of tilt) is put right."""
    mesh = square()
    views = views_of(mesh, 256, azimuths=[20.0, 330.0])
    leans = []
    for view in views:
        p = view.position.double()
        n = torch.stack([-0.24 * (12 * p[..., 0]).cos(), -torch.ones_like(p[..., 0]),
                         -0.09 * (9 * p[..., 2]).cos()], -1)  # fmt: skip
        rotation = torch.from_numpy(view.camera.view_matrix[:3, :3])
        camera = torch.nn.functional.normalize(n, dim=-1) @ rotation.T
        a = math.radians(20)
        tilt = torch.tensor([[1, 0, 0], [0, math.cos(a), -math.sin(a)],
                             [0, math.sin(a), math.cos(a)]]).double()  # fmt: skip
        assert camera[view.mask][:, 2].min() > 0.5  # towards the viewer
        leans.append(leaning_of((camera @ tilt.T).float(), view, Surface.of(view, view.size)))
    _, wanted = bumps(mesh)
    assert error_deg(gathered(mesh, views, leans), wanted).median() < 3


def test_a_surface_without_relief_is_flat_to_the_bit() -> None:
    mesh = torus(32, 16)
    views = [(view, torch.full((*view.size, 3), 0.5)) for view in views_of(mesh, 96)]
    maps = pbr_maps(mesh, views, [blank(mesh)], Estimators(), {0: stuff_of("clay")})[0]
    images = maps.images()
    assert (images["normal"] == (128, 128, 255)).all()
    assert (images["height"] == 32768).all()


def blank(mesh: Mesh, color: tuple[int, int, int] = (128, 128, 128)) -> tuple[Texture, np.ndarray]:
    tile = build_tile(mesh, 1001, SIZE)
    tier = tile.image(torch.ones_like(tile.index, dtype=torch.uint8)).numpy()
    image = np.full((SIZE, SIZE, 4), 255, np.uint8)
    image[..., :3] = color
    rgb = image[..., :3].astype(np.float32) / 255
    return Texture(1001, rgb, tier, tier.astype(np.int16), tier.astype(np.float32)), image


def test_each_object_is_of_the_stuff_that_its_prompt_names() -> None:
    mesh = two_objects(torus(32, 16))
    views = [(view, torch.full((*view.size, 3), 0.5)) for view in views_of(mesh, 64)]
    stuffs = {0: stuff_of("stone"), 2: stuff_of("polished gold")}
    maps = pbr_maps(mesh, views, [blank(mesh)], Estimators(), stuffs)[0]
    tile = build_tile(mesh, 1001, SIZE)
    gold = tile.image((tile.points.object_id == 2).float()).numpy() > 0
    stone = tile.image((tile.points.object_id == 1).float()).numpy() > 0
    assert (maps.metallic[gold] == 1).all()
    assert (maps.metallic[stone] == 0).all()
    assert maps.roughness[gold].mean() < 0.2 < 0.7 < maps.roughness[stone].mean()


def test_painted_light_is_taken_out_and_patterns_stay() -> None:
    generator = torch.Generator().manual_seed(3)
    normal = torch.nn.functional.normalize(torch.randn((20_000, 3), generator=generator), dim=1)
    pattern = torch.where(torch.rand(20_000, generator=generator) < 0.5, 0.2, 0.5)
    sun = torch.nn.functional.normalize(torch.tensor([0.3, -0.4, 0.8]), dim=0)
    light = 0.5 + 0.6 * (normal @ sun).clamp(min=0)
    lit = (pattern * light)[:, None].expand(-1, 3) ** (1 / 2.2)
    even = fit_light(lit, normal).removed(lit, normal)[:, 0] ** 2.2
    for shade in (0.2, 0.5):
        rows = pattern == shade
        before = (pattern * light)[rows].std() / (pattern * light)[rows].mean()
        after = even[rows].std() / even[rows].mean()
        assert after < 0.25 * before
    assert 2 < even[pattern == 0.5].mean() / even[pattern == 0.2].mean() < 3


def disc(height: float, radius: float, parts: int = 96) -> list[list[float]]:
    """Triangle corners of a disc facing down, about the z axis."""
    corners = []
    for i in range(parts):
        a, b = (2 * math.pi * (i + k) / parts for k in (0, 1))
        rim = [[radius * math.cos(t), radius * math.sin(t), height] for t in (a, b)]
        corners += [[0.0, 0.0, height], *rim]  # seen from above: it casts shadows downward
    return corners


@pytest.mark.parametrize(("height", "share"), [(1.0, 0.5), (2.0, 0.2), (0.5, 0.8)])
def test_occlusion_below_a_disc_is_its_form_factor(height, share) -> None:
    """Cosine-weighted, a disc of radius 1 at height h hides 1 / (1 + h^2) of the sky."""
    floor = [[-4, -4, 0], [4, -4, 0], [4, 4, 0], [-4, -4, 0], [4, 4, 0], [-4, 4, 0]]
    mesh = mesh_from_arrays(np.array([*floor, *disc(height, 1.0)], "f4"), None, None)
    origin, up = torch.zeros((1, 3)), torch.tensor([[0.0, 0, 1]])
    seen = ambient_occlusion(mesh, origin, up, directions=300, side=192)
    assert 1 - float(seen[0]) == pytest.approx(share, abs=0.02)


def test_nothing_stands_in_the_way_on_a_ball() -> None:
    mesh = torus(96, 48)
    tile = build_tile(mesh, 1001, 64)
    outer = tile.points.position[:, [0, 2]].norm(dim=1) > 1.39
    normal = texel_frames(mesh, tile).normal
    seen = ambient_occlusion(mesh, tile.points.position, normal)
    assert seen[outer].min() > 0.97
    inner = tile.points.position[:, [0, 2]].norm(dim=1) < 0.62
    assert seen[inner].max() < 0.9


def test_albedo_that_a_model_tells_in_linear_light_is_written_by_the_exact_curve() -> None:
    light = torch.tensor([0.0, 0.002, 0.0201, 0.214041, 0.5, 1.0])
    told = as_srgb(light, {"prediction_space": "linear"}, "albedo")
    expected = torch.tensor([0.0, 0.02584, 0.152134, 0.5, 0.735357, 1.0])
    assert torch.allclose(told, expected, atol=1e-4)
    assert torch.equal(as_srgb(light, {"prediction_space": "linear"}, "roughness"), light)
