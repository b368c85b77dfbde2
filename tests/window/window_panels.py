"""Runs inside a Blender with its window: every panel and state, at two scales, with a screenshot
of each; live painting, and what it costs the window.

    blender --python window_panels.py -- OUT_FOLDER EXTENSION.zip

See `window_tools`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from window_live import live_painting_follows_the_view
from window_sub_panels import only, unfold_all
from window_tools import (
    REPORT,
    addon,
    begin,
    inside,
    install,
    live,
    only_one_window,
    screenshot,
    show_sidebar,
    until_settled,
    viewport,
    wait,
    what_lies_below,
    window,
)

SHORT, LONG = "steps=4 seconds=0.02", "steps=9000 seconds=0.1"
PIECES = (
    ("IMAGE", ("UNDERPAINT_PT_image", "UNDERPAINT_PT_controls", "UNDERPAINT_PT_everything")),
    ("TEXTURE", ("UNDERPAINT_PT_layers", "UNDERPAINT_PT_texture")),
)


def story() -> Iterator[float]:
    """Each `yield` lets Blender draw and tick."""
    install()
    unfold_all()
    yield from prepare()
    yield from there_is_no_daemon_yet()
    yield from the_image_tab_with_everything_unfolded()
    yield from several_paintings_wait()
    yield from live_painting_follows_the_view()
    yield from the_texture_tab()
    yield from the_gallery_in_both_sidebars()
    yield from a_failure_tells_its_mending()
    yield from the_panel_speaks_the_languages_of_blender()
    yield from every_panel_at_each_scale()


def prepare() -> Iterator[float]:
    with bpy.context.temp_override(window=window()):
        scene = addon("demo_scene").open_in(bpy.context)
    viewport().spaces.active.region_3d.view_perspective = "CAMERA"
    yield from show_sidebar()
    scene.underpaint.prompt = SHORT
    yield 1.0


def there_is_no_daemon_yet() -> Iterator[float]:
    """As a user sees it whose machine has none."""
    live().installed = False
    addon("pump").redraw()
    yield 1.0
    screenshot("p01_install")
    live().installed = True
    addon("pump").redraw()
    yield 0.5


def the_image_tab_with_everything_unfolded() -> Iterator[float]:
    with inside():
        bpy.ops.underpaint.generate()
    yield from wait(lambda: live().current)
    task = live().current
    yield from wait(lambda: task.ended and not live().finished)
    assert task.error is None, task.error
    settings = bpy.context.scene.underpaint
    settings.depth_open = settings.normal_open = True
    with inside():
        bpy.ops.underpaint.lora_add(name="ink")
        bpy.ops.underpaint.style(name="Watercolour")
    yield 1.0
    screenshot("p02_image")
    settings.prompt, settings.depth_open, settings.normal_open = SHORT, False, False


def several_paintings_wait() -> Iterator[float]:
    settings = bpy.context.scene.underpaint
    settings.prompt = LONG
    with inside():
        for _ in range(3):
            bpy.ops.underpaint.generate()
    tasks = list(live().session.tasks.values())
    assert len(tasks) == 3
    yield from wait(lambda: tasks[0].step > 0)
    yield 1.0
    screenshot("p03_queue")
    yield from a_render_has_the_gpu_to_itself(tasks[0])
    with inside():
        bpy.ops.underpaint.cancel()
    yield from wait(lambda: not live().session.tasks)
    settings.prompt = SHORT


def a_render_has_the_gpu_to_itself(task) -> Iterator[float]:
    """F12 in the window, where Blender renders in a thread of its own."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 256, False
    scene.render.resolution_percentage = 25
    bpy.context.preferences.view.render_display_type = "NONE"
    with inside():
        bpy.ops.render.render("INVOKE_DEFAULT")
    yield from wait(lambda: task.phase == "yielding" and live().queue.yielded)
    screenshot("p03_rendering")
    yield from wait(lambda: not bpy.app.is_job_running("RENDER"))
    yield from wait(lambda: task.phase == "denoising")
    REPORT["goes_on_after_render"] = live().leaving.now is False


def the_texture_tab() -> Iterator[float]:
    bpy.context.scene.underpaint.mode = "TEXTURE"
    only()
    head = bpy.data.objects["Head"]
    bpy.context.view_layer.objects.active = head
    head.select_set(True)
    yield 1.0
    screenshot("p05_texture")
    bpy.context.scene.underpaint.mode = "IMAGE"


def the_gallery_in_both_sidebars() -> Iterator[float]:
    """The daemon's paintings with their thumbnails; one chosen."""
    only("UNDERPAINT_PT_everything")
    looking = live().gallery
    yield from wait(lambda: looking.pictures and not looking.waits)
    with inside():
        bpy.ops.underpaint.gallery_choose(job=looking.pictures[0].job)
    yield from wait(lambda: looking.request is not None)
    yield 1.0
    screenshot("p08_gallery")
    with inside():
        bpy.ops.underpaint.gallery_view()
        bpy.ops.underpaint.gallery_open()
    yield from wait(lambda: not live().session.tasks and not live().finished)
    yield from only_one_window()
    area = viewport()
    area.type = "IMAGE_EDITOR"
    area.spaces.active.image = bpy.data.images[live().last_image]
    area.spaces.active.show_region_ui = True
    yield 0.5
    sidebar = next(region for region in area.regions if region.type == "UI")
    yield from wait(lambda: sidebar.active_panel_category != "UNSUPPORTED")
    for _ in range(5):  # it is forgotten by the first drawing
        sidebar.active_panel_category = "Underpaint"
        area.tag_redraw()
        yield 0.5
    yield from until_settled("p09_image_editor")
    image = area.spaces.active.image
    with bpy.context.temp_override(window=window(), area=area):
        bpy.ops.underpaint.marks_box(image=image.name, box=(0.3, 0.3, 0.7, 0.8))
    marks = area.spaces.active.image
    assert marks.get("underpaint_marks_of") == image, "the marks are shown in its place"
    yield from until_settled("p12_marked")
    with bpy.context.temp_override(window=window(), area=area):
        bpy.ops.underpaint.repaint_here(image=marks.name)
    yield from wait(lambda: not live().session.tasks and not live().finished)
    yield 0.5
    assert area.spaces.active.image.get("underpaint_before") == image
    yield from until_settled("p13_repainted")
    area.type = "VIEW_3D"
    yield from show_sidebar()


def a_failure_tells_its_mending() -> Iterator[float]:
    only("UNDERPAINT_PT_image")
    settings = bpy.context.scene.underpaint
    settings.prompt, settings.model_controls = "fail_at=1", True
    with inside():
        bpy.ops.underpaint.generate()
    task = live().current
    yield from wait(lambda: task.ended)
    yield 1.0
    screenshot("p10_failed")
    with inside():
        bpy.ops.underpaint.dismiss_error()
        bpy.ops.underpaint.retry_not(job=task.id)
    settings.prompt = SHORT


def the_panel_speaks_the_languages_of_blender() -> Iterator[float]:
    view, languages = bpy.context.preferences.view, addon("languages")
    spoken = languages.translations().keys() & set(bpy.app.translations.locales)
    assert len(spoken) == 5, spoken
    only("UNDERPAINT_PT_image", "UNDERPAINT_PT_controls")
    asked, why = "There is no model 'x'; known: starter", "There were 2 views: more see more."
    for language, word, told in (
        ("de_DE", "Erzeugen", "Es gibt kein Modell 'x'; bekannt: starter"),
        ("ja_JP", "生成", "モデル 'x' はありません。あるもの: starter"),
        ("zh_HANS", "生成", "没有模型 'x'；已知：starter"),
    ):
        view.language, view.use_translate_interface = language, True
        assert languages.say("Generate") == word, language
        assert languages.tell(asked) == told, language
        assert languages.tell(f"{why} {why}").count("2") == 2, "sentence by sentence"
        assert "views" not in languages.tell(f"{why} {why}")
        yield from until_settled(f"p11_{language}")
    view.language = "en_US"
    assert languages.say("Generate") == "Generate"
    assert languages.tell(asked) == asked


def every_panel_at_each_scale() -> Iterator[float]:
    """Each tab, with everything unfolded, in pieces that fit."""
    settings = bpy.context.scene.underpaint
    settings.prompt = "an old fishing harbour at dawn, wet cobbles, nets, gulls, long shadows"
    with inside():
        bpy.ops.underpaint.controls_by_hand()
        bpy.ops.underpaint.by_hand(name="steps")
    for scale in (1.0, 2.0):
        bpy.context.preferences.view.ui_scale = scale
        yield 1.0
        for mode, panels in PIECES:
            settings.mode = mode
            for name in panels:
                only(name)
                tag = f"{name.removeprefix('UNDERPAINT_PT_')}_{scale:.0f}x"
                yield from until_settled(f"w_{mode.lower()}_{tag}")
                if scale > 1:
                    yield from what_lies_below(f"w_{mode.lower()}_{tag}_below")
    bpy.context.preferences.view.ui_scale = 1.0


begin(story())
