"""Noise that sticks to the surface."""

from __future__ import annotations

import torch

from underpaint_daemon.worker.texturing.views.noise import SurfaceNoise

from helpers.meshes.sync_scene import torus, views_of

torch.set_num_threads(1)


def test_noise_is_white_in_every_view() -> None:
    views = views_of(torus(), 64)
    noise = SurfaceNoise.build(views)
    draws = [noise.draw(seed, 4) for seed in range(8)]
    for i, view in enumerate(views):
        image = torch.stack([draw[i][0] for draw in draws])
        values = image[..., view.mask]
        pairs = view.mask[:, 1:] & view.mask[:, :-1]
        lag = (image[..., 1:] * image[..., :-1])[..., pairs].mean()
        assert abs(float(values.mean())) < 0.02
        assert abs(float(values.var()) - 1) < 0.03
        assert abs(float(lag)) < 0.02


def test_most_noise_is_shared_between_views() -> None:
    views = views_of(torus(), 64)
    noise = SurfaceNoise.build(views)
    shared = [
        noise.shared_fraction(i) * noise.owned_fraction(i, view.mask)
        for i, view in enumerate(views)
    ]
    assert sum(shared) / len(shared) > 0.5


def test_pixels_of_one_spot_in_two_views_start_alike() -> None:
    noise = SurfaceNoise.build(views_of(torus(), 48))
    first, second = noise.draw(3, 4)[:2]
    a, b = noise.spot[0].reshape(-1), noise.spot[1].reshape(-1)
    common = a[(a >= 0) & torch.isin(a, b[b >= 0])]
    assert len(common) > 100
    for spot in common[:50]:
        here, there = (a == spot).nonzero()[0], (b == spot).nonzero()[0]
        assert torch.equal(first[0].flatten(1)[:, here], second[0].flatten(1)[:, there])


def test_a_seed_is_a_noise() -> None:
    noise = SurfaceNoise.build(views_of(torus(), 32))
    again = SurfaceNoise.build(views_of(torus(), 32))
    for a, b, c in zip(noise.draw(1, 4), again.draw(1, 4), noise.draw(2, 4), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)
