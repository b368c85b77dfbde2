"""Views that are made to agree over the surface they share."""

from __future__ import annotations

import pytest
import torch

from underpaint_daemon.worker.texturing.views.correspondence import Correspondence
from underpaint_daemon.worker.texturing.views.variance import align_variance

from helpers.meshes.sync_scene import disagreement, torus, truth_of, two_objects, views_of

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def views():
    return views_of(torus())


@pytest.fixture(scope="module")
def operator(views):
    return Correspondence.build(views)


def test_views_that_agree_stay_as_they_are(views, operator) -> None:
    truth = truth_of(views)
    for before, after, view in zip(truth, operator.apply(truth, 4.0), views, strict=True):
        error = (before - after)[..., view.mask].square().mean().sqrt()
        assert error < 0.02
        assert torch.equal(before[..., ~view.mask], after[..., ~view.mask])


def test_disagreement_shrinks_and_more_so_with_a_low_exponent(views, operator) -> None:
    generator = torch.Generator().manual_seed(1)
    noisy = [t + 0.5 * torch.randn(t.shape, generator=generator) for t in truth_of(views)]
    before = disagreement(operator, noisy)
    assert before / disagreement(operator, operator.apply(noisy, 4.0)) > 2.2
    assert before / disagreement(operator, operator.apply(noisy, 1.0)) > 2.8


def test_every_row_is_an_average(operator) -> None:
    for exponent in (1.0, 4.0):
        rows = operator.matrix(exponent) @ torch.ones(operator.pixels, 1)
        torch.testing.assert_close(rows[operator.shared], torch.ones_like(rows)[operator.shared])


def test_views_without_overlap_are_left_bit_for_bit_alone() -> None:
    front, back = views_of(two_objects(torus()), azimuths=[0.0, 180.0])
    lone = [front, front_only(back)]
    images = truth_of(lone)
    for before, after in zip(images, Correspondence.build(lone).apply(images, 2.0), strict=True):
        assert torch.equal(before, after)


def front_only(view):
    """A view that sees nothing at all."""
    from dataclasses import replace

    nothing = torch.zeros_like(view.mask)
    depth = torch.full_like(view.depth, torch.inf)
    return replace(view, mask=nothing, depth=depth, object_id=torch.zeros_like(view.object_id))


def test_paint_never_crosses_from_one_object_to_another() -> None:
    views = views_of(two_objects(torus()))
    painted = [(v.object_id == 2).float()[None, None] for v in views]
    for before, after in zip(painted, Correspondence.build(views).apply(painted, 1.0), strict=True):
        torch.testing.assert_close(before, after, rtol=0, atol=1e-6)


def test_views_of_different_sizes_work_together() -> None:
    mesh = torus()
    views = [*views_of(mesh, 48, [0.0, 60.0]), *views_of(mesh, 32, [30.0])]
    truth = truth_of(views)
    mixed = Correspondence.build(views).apply(truth, 4.0)
    assert [m.shape for m in mixed] == [t.shape for t in truth]
    assert disagreement(Correspondence.build(views), mixed) < 0.05


def test_alignment_gives_back_the_spread_that_averaging_took(views, operator) -> None:
    generator = torch.Generator().manual_seed(2)
    noisy = [t + torch.randn(t.shape, generator=generator) for t in truth_of(views)]
    for own, mixed, view in zip(noisy, operator.apply(noisy, 1.0), views, strict=True):
        aligned = align_variance(mixed, own, view.mask)
        smooth, back = (x[0, :, view.mask].var(1) for x in (mixed, aligned))
        wanted = own[0, :, view.mask].var(1)
        assert (smooth < 0.9 * wanted).all()
        torch.testing.assert_close(back, wanted, rtol=0.02, atol=0)
