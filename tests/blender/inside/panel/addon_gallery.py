"""Behaviours of the gallery: everything painted on this machine. Run by `addon_behaviours`."""

from __future__ import annotations

import os

import bpy
from addon_tools import STEPS, addon, draw, live, paint, pump_until, refusal, settings


def looked(**search):
    """The gallery, once it shows what the search finds."""
    looking, group = live().gallery, bpy.context.window_manager.underpaint_gallery
    for name in ("words", "model", "origin", "pinned"):
        setattr(group, name, search.get(name, False if name == "pinned" else ""))
    looking.seen = True
    looking.refresh()
    pump_until(lambda: looking.shown == looking.wanted and _answered(looking))
    return looking


def _answered(looking) -> bool:
    before = looking.changes
    pump_until(lambda: looking.changes > before or looking.error)
    return True


def chosen(words: str):
    """The newest painting of these words, chosen."""
    looking = looked(words=words)
    assert looking.pictures, f"nothing is found of {words}"
    assert bpy.ops.underpaint.gallery_choose(job=looking.pictures[0].job) == {"FINISHED"}
    return looking


def what_was_painted_is_in_the_gallery_of_every_file_with_its_thumbnail():
    bpy.context.scene.name = "Kitchen"
    paint(f"{STEPS} a round teapot")
    bpy.ops.wm.read_homefile(use_factory_startup=False)
    looking = looked(words="TEAPOT round")
    (picture, *_) = looking.pictures
    assert (picture.origin, picture.model) == ("Kitchen", "starter")
    pump_until(lambda: picture.job in looking.small and not looking.fresh)
    icon = addon("gallery.thumbnails").ICONS[picture.job]
    assert max(icon.image_size) == 128
    assert len({*icon.image_pixels}) > 2, "a picture, not a flat field"
    assert "underpaint.gallery_choose" in draw("UNDERPAINT_PT_everything").operators
    assert not looked(words="teapot", origin="Garden").pictures
    assert looked(words="teapot", origin="Kitchen").pictures
    assert "Kitchen" in looking.origins


def the_gallery_turns_its_pages():
    for number in range(14):
        settings().seed = number
        paint(f"{STEPS} page")
    looking = looked(words="page")
    first = [picture.job for picture in looking.pictures]
    assert len(first) == 12
    bpy.ops.underpaint.gallery_turn(by=1)
    pump_until(lambda: len(looking.pictures) != 12)
    assert not {picture.job for picture in looking.pictures} & set(first)
    assert not looking.more
    bpy.ops.underpaint.gallery_turn(by=-1)
    pump_until(lambda: [picture.job for picture in looking.pictures] == first)


def a_painting_opens_in_another_file_with_its_recipe():
    made = paint(f"{STEPS} an old boot")
    job = made["underpaint_job"]
    bpy.ops.wm.read_homefile(use_factory_startup=False)
    looking = chosen("old boot")
    drawn = draw("UNDERPAINT_PT_everything").operators
    assert {"underpaint.gallery_open", "underpaint.gallery_vary"} <= set(drawn)
    assert bpy.ops.underpaint.gallery_open() == {"FINISHED"}
    image = bpy.data.images[live().last_image]
    assert image["underpaint_job"] == job
    assert image.size[0] > 0
    assert os.path.isfile(bpy.path.abspath(image.filepath))
    settings().prompt = ""
    assert bpy.ops.underpaint.gallery_use() == {"FINISHED"}
    assert settings().prompt == f"{STEPS} an old boot"
    assert bpy.ops.underpaint.gallery_folder() == {"FINISHED"}
    assert looking.chosen.job == job


def two_paintings_are_compared():
    paint(f"{STEPS} a first jug")
    first = chosen("first jug").chosen.job
    said = refusal(bpy.ops.underpaint.gallery_compare)
    assert "no other painting" in said, said
    shown = paint(f"{STEPS} a second jug")
    chosen("first jug")
    assert bpy.ops.underpaint.gallery_compare() == {"FINISHED"}
    opened = bpy.data.images[live().last_image]
    assert opened["underpaint_job"] == first
    other_side = addon("editing.marks").other_side
    assert (other_side(opened), other_side(shown)) == (shown, opened)
    live().error = None


def the_last_painting_stands_for_its_model_and_its_style():
    samples = addon("gallery.samples")
    folder = addon("own_files").folder("samples")
    for file in folder.glob("*.png"):
        file.unlink()
    images = len(bpy.data.images)
    paint(f"watercolour of {STEPS} a jug, wet washes, paper grain")
    assert len(bpy.data.images) == images + 1, "nothing else is in the file"
    names = sorted(file.name for file in folder.glob("*.png"))
    assert names == ["model_starter.png", "style_Watercolour.png"]
    sample = bpy.data.images.load(str(folder / names[0]))
    assert tuple(sample.size) == (96, 96)
    ours = addon("plain.styles").styles(folder)
    assert [style.name for style in ours if not samples.style_picture(style.name).is_file()] == []
    own = samples.style_picture("Watercolour")
    assert own == folder / "style_Watercolour.png", "the artist's own goes before our sign"
    own.unlink()
    assert samples.style_picture("Watercolour").is_file()
    assert draw("UNDERPAINT_PT_models").operators


def variations_are_the_same_with_other_seeds():
    paint(f"{STEPS} a plain cup")
    before = len(settings().results)
    chosen("plain cup")
    assert bpy.ops.underpaint.gallery_vary(count=2) == {"FINISHED"}
    pump_until(lambda: not live().session.tasks and len(settings().results) == before + 2)
    from underpaint.tree import from_json

    requests = [from_json(x.image["underpaint_request"]) for x in settings().results]
    assert len({request.sampling.seed for request in requests}) == 3
    assert len({request.view for request in requests}) == 1, "the same view, not taken again"


def a_variation_may_begin_from_the_painting_itself():
    paint(f"{STEPS} a green cup")
    before = len(settings().results)
    chosen("green cup")
    draw("UNDERPAINT_PT_everything")
    assert bpy.ops.underpaint.gallery_vary(count=1, strength=0.3) == {"FINISHED"}
    pump_until(lambda: len(settings().results) == before + 1)
    from underpaint.tree import from_json

    made, varied = (from_json(x.image["underpaint_request"]) for x in settings().results[-2:])
    if varied.init is None:
        made, varied = varied, made
    assert (varied.strength, varied.view) == (0.3, made.view)
    assert varied.init.shape[:2] == (made.height, made.width) or made.height is None


def paintings_are_pinned_and_deleted():
    paint(f"{STEPS} a short lived thing")
    looking = chosen("short lived")
    job = looking.chosen.job
    assert bpy.ops.underpaint.gallery_pin() == {"FINISHED"}
    pump_until(lambda: any(p.job == job and p.pinned for p in looking.pictures))
    assert [picture.job for picture in looked(pinned=True).pictures] == [job]
    looked(words="short lived")
    assert bpy.ops.underpaint.gallery_delete() == {"FINISHED"}
    pump_until(lambda: not looking.pictures)
    assert looking.chosen is None
    assert "Choose the painting first" in refusal(bpy.ops.underpaint.gallery_open)
    live().error = None


BEHAVIOURS = (
    what_was_painted_is_in_the_gallery_of_every_file_with_its_thumbnail,
    the_gallery_turns_its_pages,
    a_painting_opens_in_another_file_with_its_recipe,
    two_paintings_are_compared,
    the_last_painting_stands_for_its_model_and_its_style,
    variations_are_the_same_with_other_seeds,
    a_variation_may_begin_from_the_painting_itself,
    paintings_are_pinned_and_deleted,
)
