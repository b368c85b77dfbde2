"""Behaviours of the words that an artist paints by: styles, weights, what was said before, words of
objects. Run by `addon_behaviours`."""

from __future__ import annotations

import json

import bpy
from addon_tools import STEPS, addon, asked, draw, paint, settings


def a_style_goes_around_the_words_once():
    group = settings()
    group.prompt, group.negative = "a castle", "fog"
    for _ in range(2):
        bpy.ops.underpaint.style(name="Oil Painting")
    assert group.prompt == "oil painting of a castle, visible brush strokes, rich pigments"
    assert group.negative == "fog, photo, flat"


def there_are_styles_and_the_artist_can_add_some():
    plain, own = addon("plain.styles"), addon("own_files").styles_folder()
    assert len(plain.styles(own)) >= 24
    (own / "mine.json").write_text(json.dumps([{"name": "Mine", "prompt": "in chalk"}]))
    (own / "broken.json").write_text("[{")
    settings().prompt = "a fox"
    bpy.ops.underpaint.style(name="Mine")
    assert settings().prompt == "a fox, in chalk"


def a_phrase_can_count_more_or_less():
    settings().prompt = "a castle, moss, (old, wet) stone"
    bpy.ops.underpaint.weigh(index=1, by=0.1)
    bpy.ops.underpaint.weigh(index=1, by=0.1)
    assert settings().prompt == "a castle, (moss:1.2), (old, wet) stone"
    bpy.ops.underpaint.weigh(index=1, by=-0.2)
    assert settings().prompt == "a castle, moss, (old, wet) stone"
    settings().prompt = "x"
    for _ in range(40):
        bpy.ops.underpaint.weigh(index=0, by=-0.1)
    assert settings().prompt == "(x:0.1)"


def a_prompt_is_written_in_a_text_only_when_that_is_asked():
    group, texts = settings(), addon("writing.texts")
    group.prompt, group.negative = "a castle, fog", "people"
    texts.follow()
    assert not bpy.data.texts, "nothing is written into the file unasked"
    bpy.ops.underpaint.write(field="prompt")
    text = group.prompt_text
    assert text.as_string() == "a castle, fog"
    text.clear()
    text.write("a castle,\nold moss")
    texts.follow()
    assert group.prompt == "a castle,\nold moss", "lines stay lines"
    text.name, group.prompt = "Renamed", "a mill"
    texts.follow()
    assert text.as_string() == "a mill", "and the panel's words are in the Text"
    text.clear()
    text.write(STEPS)
    bpy.ops.underpaint.generate(timeout=120)
    assert json.loads(asked())["prompt"]["text"] == STEPS, "what was typed a moment ago counts"
    bpy.ops.underpaint.write_end(field="prompt", keep=True)
    text.write(" more")
    texts.follow()
    assert (group.prompt, group.prompt_text) == (STEPS, None)
    bpy.data.texts.remove(text)
    bpy.ops.underpaint.write(field="negative")
    assert group.negative_text.as_string() == "people"
    bpy.ops.underpaint.write_end(field="negative", keep=False)
    assert (group.negative, len(bpy.data.texts)) == ("people", 0)


def marked_words_of_the_text_count_more_or_less():
    group = settings()
    group.prompt = "a castle,\nold moss, fog"
    bpy.ops.underpaint.write(field="prompt")
    text, area = group.prompt_text, bpy.context.window.screen.areas[0]
    before, area.type = area.type, "TEXT_EDITOR"
    area.spaces.active.text = text
    region = next(region for region in area.regions if region.type == "WINDOW")
    try:
        with bpy.context.temp_override(window=bpy.context.window, area=area, region=region):
            text.select_set(1, 5, 1, 5)  # the cursor in a word
            bpy.ops.underpaint.weigh_marked(by=0.1)
            assert group.prompt == "a castle,\nold (moss:1.1), fog"
            bpy.ops.underpaint.weigh_marked(by=0.1)
            assert group.prompt == "a castle,\nold (moss:1.2), fog", "the same words again"
            for _ in range(2):
                bpy.ops.underpaint.weigh_marked(by=-0.1)
            assert group.prompt == text.as_string() == "a castle,\nold moss, fog"
            text.select_set(0, 2, 1, 3)
            bpy.ops.underpaint.weigh_marked(by=-0.1)
            assert group.prompt == "a (castle,\nold:0.9) moss, fog"
            area.spaces.active.text = other = bpy.data.texts.new("notes")
            assert not bpy.ops.underpaint.weigh_marked.poll(), "other Texts are left alone"
            bpy.data.texts.remove(other)
    finally:
        area.type = before
        bpy.ops.underpaint.write_end(field="prompt", keep=False)


def prompts_are_kept_for_the_next_time():
    paint(f"{STEPS} first")
    paint(f"{STEPS} second")
    found = addon("plain.history").prompts(addon("own_files").prompts_file())
    assert found[:2] == [f"{STEPS} second", f"{STEPS} first"]
    bpy.ops.underpaint.use_prompt(index=1)
    assert settings().prompt == f"{STEPS} first"


def objects_are_painted_by_their_own_prompts_when_that_is_ticked():
    cube = next(x for x in bpy.context.scene.objects if x.type == "MESH")
    cube.underpaint_prompt = " moss "
    cube.select_set(True)
    try:
        paint(STEPS)
        assert "regions" not in asked()
        unused = "Their words count only with Their Own Prompts ticked"
        assert unused in " ".join(draw("UNDERPAINT_PT_objects").texts)
        settings().object_prompts = True
        assert cube.name in draw("UNDERPAINT_PT_objects").texts
        assert unused not in " ".join(draw("UNDERPAINT_PT_objects").texts)
        paint(STEPS)
        (region,) = json.loads(asked())["regions"]
        depsgraph = bpy.context.evaluated_depsgraph_get()
        assert region["object_id"] == addon("capture").object_ids(depsgraph)[cube.name_full]
        assert region["prompt"]["text"] == "moss"
    finally:
        cube.underpaint_prompt = ""
        settings().object_prompts = False


def settings_used_again_bring_back_the_words_and_loras_of_objects():
    """By name; what is no longer there is told, and other objects' words stay."""
    cube = next(x for x in bpy.context.scene.objects if x.type == "MESH")
    other = bpy.data.objects.new("Other", cube.data)
    other.location.x = 50  # it hides nothing
    bpy.context.scene.collection.objects.link(other)
    cube.underpaint_prompt = "moss"
    cube.name = "Renamed"  # what is an object's goes with it
    bpy.ops.underpaint.part_lora_add(owner=cube.name_full, name="ink")
    assert settings().object_prompts, "what acts on an object is painted by it from now on"
    cube.underpaint_loras[0].weight = 0.3
    try:
        image = paint(STEPS)
        (region,) = json.loads(asked())["regions"]
        assert region["loras"] == [{"path": "ink", "weight": 0.3}]
        cube.underpaint_prompt, other.underpaint_prompt = "ice", "gold"
        bpy.ops.underpaint.part_lora_remove(owner=cube.name_full, index=0)
        assert not cube.underpaint_loras
        settings().object_prompts = False
        bpy.ops.underpaint.use_settings(image=image.name)
        assert (cube.underpaint_prompt, other.underpaint_prompt) == ("moss", "gold")
        assert [(one.path, round(one.weight, 2)) for one in cube.underpaint_loras] == [("ink", 0.3)]
        assert "ink" in draw("UNDERPAINT_PT_objects").texts
        assert settings().object_prompts
        assert {cube.name, "Other"} <= set(draw("UNDERPAINT_PT_objects").texts)
        request = addon("image.results").request_of(image)
        again = addon("image.words_again")
        words = again.words_by_object(request)
        assert [(name, own.prompt) for name, own in words.items()] == [(cube.name_full, "moss")]
        assert again.give_words(bpy.context.scene, words).others == ("Other",)
        gone = {"Gone": words[cube.name_full]}
        assert again.give_words(bpy.context.scene, gone).lost == ("Gone",)
    finally:
        cube.underpaint_prompt, settings().object_prompts = "", False
        cube.underpaint_loras.clear()
        bpy.data.objects.remove(other)


BEHAVIOURS = (
    a_style_goes_around_the_words_once,
    there_are_styles_and_the_artist_can_add_some,
    a_phrase_can_count_more_or_less,
    a_prompt_is_written_in_a_text_only_when_that_is_asked,
    marked_words_of_the_text_count_more_or_less,
    prompts_are_kept_for_the_next_time,
    objects_are_painted_by_their_own_prompts_when_that_is_ticked,
    settings_used_again_bring_back_the_words_and_loras_of_objects,
)
