"""The rasteriser draws what geometry says, without holes, the same way every time."""

import math

import pytest
import torch

from underpaint_daemon.worker.texturing.surface.raster import interpolate, rasterize
from underpaint_starter.scenes import shapes
from underpaint_starter.scenes.geometry import Camera, look_at

torch.set_num_threads(1)


def _camera(distance: float, focal: float = 2.0) -> Camera:
    eye = torch.tensor([0.0, 0.0, distance])
    return Camera(look_at(eye, eye - torch.tensor([0.0, 0.0, 1.0]), 0.0), eye, focal)


def test_a_sphere_has_the_depth_and_normals_of_a_sphere() -> None:
    camera, ball = _camera(3.0), shapes.sphere(300)
    seen = rasterize(camera.clip(ball.vertices), ball.faces, (128, 128))
    rays = camera.rays(128).double()
    a, b = (rays * rays).sum(-1), 2 * (rays * camera.position).sum(-1)
    inside = b * b - 4 * a * 8
    depth = (-b - inside.clamp(min=0).sqrt()) / (2 * a)
    hit = seen.triangle >= 0
    assert ((inside > 0) != hit).float().mean() < 1e-3
    both = hit & (inside > 0.2)
    assert (seen.depth - depth)[both].abs().max() < 5e-4
    normal = torch.nn.functional.normalize(interpolate(seen, ball.faces, ball.normals), dim=-1)
    exact = camera.position + rays * depth[..., None]
    assert (normal - exact)[both].abs().max() < 2e-3


def test_a_floor_through_the_camera_is_cut_at_the_near_plane() -> None:
    camera = _camera(0.0)
    corners = torch.tensor([[-50.0, -1, 50], [50, -1, 50], [50, -1, -90], [-50, -1, -90]])
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    seen = rasterize(camera.clip(corners), faces, (200, 200))
    rows = (torch.arange(200) + 0.5) / 200 * 2 - 1
    assert not (seen.triangle[:100] >= 0).any()
    assert bool((seen.triangle[104:] >= 0).all())
    expected = (2.0 / rows)[104:, None].expand(-1, 200)
    assert torch.allclose(seen.depth[104:], expected, rtol=1e-5)


@pytest.mark.parametrize("size", [(96, 96), (70, 333)])
def test_neighbouring_triangles_leave_no_cracks_in_an_atlas(size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(3)
    n = 25
    line = torch.linspace(-1, 1, n)
    u, v = torch.meshgrid(line, line, indexing="ij")
    inner = (u.abs() < 1) & (v.abs() < 1)
    u = u + inner * 0.03 * (torch.rand((n, n), generator=generator) - 0.5)
    clip = torch.stack((u, v, u * 0, u * 0 + 1), -1).reshape(-1, 4)
    faces = shapes._grid_faces(n, n)
    atlas = rasterize(clip, faces, size)
    assert bool((atlas.triangle >= 0).all())
    place = interpolate(atlas, faces, clip)
    x = (torch.arange(size[1]) + 0.5) / size[1] * 2 - 1
    y = 1 - (torch.arange(size[0]) + 0.5) / size[0] * 2
    assert (place[..., 0] - x).abs().max() < 1e-5
    assert (place[..., 1] - y[:, None]).abs().max() < 1e-5


def test_the_nearer_of_two_surfaces_is_seen_whatever_their_order() -> None:
    square = torch.tensor([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
    near = torch.cat((square * 0.5, torch.full((4, 1), -0.2), torch.ones((4, 1))), 1)
    far = torch.cat((square, torch.full((4, 1), 0.6), torch.ones((4, 1))), 1)
    quads = torch.tensor([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]])
    first = rasterize(torch.cat((near, far)), quads, (64, 64))
    second = rasterize(torch.cat((near, far)), quads.flip(0), (64, 64))
    assert bool((first.triangle[16:48, 16:48] < 2).all())
    assert bool((second.triangle[16:48, 16:48] >= 2).all())
    assert int((first.triangle >= 2).sum()) == 64 * 64 - 32 * 32


def test_perspective_interpolation_is_not_screen_linear() -> None:
    camera = _camera(0.0, focal=1.0)
    corners = torch.tensor([[-1.0, -1, -1], [1, -1, -1], [9, -1, -9], [-9, -1, -9]])
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    seen = rasterize(camera.clip(corners), faces, (256, 256))
    depth = interpolate(seen, faces, -corners[:, 2:])[..., 0]
    column = depth[160:250, 128]
    expected = 1 / ((torch.arange(160, 250) + 0.5) / 128 - 1)
    assert torch.allclose(column, expected, rtol=1e-4)


def test_drawing_twice_gives_the_same_bits_and_bad_shapes_are_refused() -> None:
    ball = shapes.sphere(60)
    clip = _camera(math.pi).clip(ball.vertices)
    first, second = (rasterize(clip, ball.faces, (90, 90)) for _ in range(2))
    assert torch.equal(first.triangle, second.triangle)
    assert torch.equal(first.barycentric, second.barycentric)
    with pytest.raises(ValueError, match="clip"):
        rasterize(ball.vertices, ball.faces, (8, 8))
