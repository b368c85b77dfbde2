"""What the live view asks for: something quick at once, better ones while nothing moves."""

from __future__ import annotations

from blender_addon.image.request import ImageSettings
from blender_addon.plain.live_plan import BEST, QUICK, WHOLE, Best, Plan, at_level

STARTER = Best(side=256, steps=1, guidance=1.5)
LARGE = Best(side=1024, steps=30, guidance=7.0)


def levels(best):
    """Those painted of a view that stays as it is."""
    plan, seen = Plan(), []
    plan.look("view", best)
    while plan.wants:
        seen.append(plan.level)
        plan.painted("view", plan.level)
    return seen


def test_a_view_that_rests_gets_better_until_it_is_best():
    assert levels(LARGE) == [QUICK, WHOLE, BEST]
    assert levels(STARTER) == [QUICK, BEST], "no picture is painted twice"


def test_every_change_begins_with_a_quick_picture():
    plan = Plan()
    assert plan.look("a", LARGE)
    plan.painted("a", QUICK)
    assert not plan.look("a", LARGE)
    assert plan.level == WHOLE
    assert plan.look("b", LARGE)
    assert plan.level == QUICK
    plan.painted("a", WHOLE)
    assert plan.level == QUICK, "a picture of what was brings nothing on"


def test_a_quick_picture_is_small_and_in_the_viewports_shape():
    quick = at_level(ImageSettings(), QUICK, 1.5, STARTER)
    assert (quick.width, quick.height) == (160, 104)
    assert quick.width % 8 == quick.height % 8 == 0
    assert (quick.steps, quick.guidance) == (1, 1.0)
    best = at_level(ImageSettings(), BEST, 1.5, STARTER)
    assert (best.width, best.height) == (312, 208)
    assert (best.steps, best.guidance) == (None, None), "the model's own, as Generate asks"


def test_what_needs_much_guidance_keeps_it():
    asked = ImageSettings(guidance=7.0, steps=30)
    quick = at_level(asked, QUICK, 1.0, LARGE)
    assert (quick.width, quick.steps, quick.guidance) == (512, 2, 7.0)
    assert at_level(asked, BEST, 1.0, LARGE) == ImageSettings(
        guidance=7.0, steps=30, width=1024, height=1024
    )
