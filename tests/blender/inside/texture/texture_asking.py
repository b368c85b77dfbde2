"""What artists rely on when they ask for a texture: what is asked, what is refused."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bpy

# isort: split
import addon_tools as base
import numpy as np
import texture_tools as tools
from addon_tools import addon, draw, live, refusal
from texture_checks import QUICK, layers, settings, texture
from texture_tools import SIDE


def panel_and_python_ask_for_the_same():
    from underpaint import Method, Pattern, Prompt, Sampler, Sampling, TextureRequest, to_json

    item = tools.grid()
    tools.only(item)
    group = settings()
    group.negative, group.steps, group.guidance, group.sampler = "blur", 7, 3.3, "ddim"
    group.method, group.view_count, group.view_size = "sequential", 4, 128
    group.pattern_size, group.own_uv = 0.4, True
    layer = texture(seed=5)
    found = addon("texture.scene_mesh").extract_mesh([item], bpy.context.evaluated_depsgraph_get())
    by_hand = TextureRequest(
        Prompt(QUICK, "blur"),
        found.mesh,
        method=Method.SEQUENTIAL,
        sampling=Sampling(Sampler.DDIM, 7, 3.3, 5),
        view_count=4,
        view_size=128,
        size=SIDE,
        pattern=Pattern(0.4, own_uv=True),
    )
    assert layer.paint.image["underpaint_request"] == to_json(by_hand)
    folder = base.REPORT.parent
    (folder / "panel.json").write_text(to_json(by_hand))
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "asked.blend"), copy=True)


def settings_of_a_layer_can_be_used_again():
    tools.only(tools.quad())
    settings().steps, settings().guidance = 9, 4.4
    layer = texture(seed=77)
    settings().seed, settings().steps, settings().prompt = 1, 2, "other"
    bpy.ops.underpaint.use_settings(image=layer.paint.image.name)
    group = settings()
    assert (group.seed, group.steps, group.prompt) == (77, 9, QUICK)
    assert abs(group.guidance - 4.4) < 1e-5


def objects_may_have_prompts_and_loras_of_their_own():
    from underpaint import Lora, from_json

    left, right = tools.quad("Left"), tools.quad("Right", at=(3, 0, 0))
    tools.only(left, right)
    right.underpaint_prompt = "gold"
    bpy.context.scene.underpaint.mode = "TEXTURE"
    bpy.ops.underpaint.part_lora_add(owner="Left", name="ink")
    assert not bpy.context.scene.underpaint.object_prompts, "pictures stay as they were"
    assert {"Right", "ink"} <= set(draw("UNDERPAINT_PT_main").texts)
    layer = texture()
    request = from_json(layer.paint.image["underpaint_request"])
    ids = addon("capture").object_ids(bpy.context.evaluated_depsgraph_get())
    own = {one.object_id: (one.prompt.text, one.loras) for one in request.object_prompts}
    assert own == {ids["Left"]: ("", (Lora("ink"),)), ids["Right"]: ("gold", ())}
    left.underpaint_loras.clear()
    bpy.ops.underpaint.use_settings(image=layer.paint.image.name)
    assert [one.path for one in left.underpaint_loras] == ["ink"]


def a_texture_can_be_symmetric_across_the_objects_axis():
    from underpaint import Mirror, from_json

    item = tools.quad(at=(1, 2, 3))
    item.rotation_euler.z = np.pi / 2
    item.scale = (2, 2, 2)
    tools.only(item)
    settings().mirror = "X"
    request = from_json(texture().paint.image["underpaint_request"])
    assert request.mirror == Mirror((1.0, 2.0, 3.0), (0.0, 1.0, 0.0))


def cameras_of_the_scene_can_be_the_views():
    from underpaint import from_json

    item = tools.quad()
    cameras = [bpy.data.objects.new(f"Cam {i}", bpy.data.cameras.new("Cam")) for i in range(2)]
    for i, camera in enumerate(cameras):
        camera.location = (i, 0, 5)
        bpy.context.scene.collection.objects.link(camera)
    tools.only(item, *cameras)
    settings().views = "CAMERAS"
    request = from_json(texture().paint.image["underpaint_request"])
    assert len(request.views) == 2
    assert all(view.depth and view.normal and view.object_id for view in request.views)
    for camera in cameras:
        bpy.data.objects.remove(camera)
    assert "no cameras" in refusal(lambda: bpy.ops.underpaint.texture(timeout=60))


def without_a_uv_map_it_is_refused_with_a_fix():
    item = tools.quad(uv=False)
    tools.only(item)
    settings().prompt = QUICK
    assert "no UV map" in refusal(lambda: bpy.ops.underpaint.texture(timeout=60))
    assert "Unwrap" in live().error.hint
    bpy.context.scene.underpaint.mode = "TEXTURE"
    assert "underpaint.unwrap" in draw("UNDERPAINT_PT_main").operators
    bpy.ops.underpaint.unwrap()
    assert len(item.data.uv_layers) == 1
    texture()
    assert len(layers(item)) == 1


def unwrapping_leaves_other_uv_maps_and_the_selection_alone():
    own, bare = tools.quad("Own"), tools.grid("Bare")
    bare.data.uv_layers.remove(bare.data.uv_layers[0])
    bare.data.polygons[3].select = False
    bare.data.polygons[5].hide = True
    before = [tuple(loop.vector) for loop in own.data.uv_layers[0].uv]
    chosen = [(p.select, p.hide) for p in bare.data.polygons]
    tools.only(own, bare)
    bpy.ops.underpaint.unwrap()
    assert [tuple(loop.vector) for loop in own.data.uv_layers[0].uv] == before
    assert len(own.data.uv_layers) == 1
    assert [(p.select, p.hide) for p in bare.data.polygons] == chosen
    assert not bpy.ops.underpaint.unwrap.poll()
    uv = np.array([tuple(loop.vector) for loop in bare.data.uv_layers[0].uv])
    assert np.ptp(uv, axis=0).min() > 0.3, "hidden and unselected faces are unwrapped too"


def the_button_reads_a_large_mesh_within_a_tick():
    """What is left of 35 000 triangles is done in a thread. Of this thread's time: what else a
    busy machine does is not ours."""
    bpy.ops.mesh.primitive_uv_sphere_add(segments=187, ring_count=94)
    sphere = bpy.context.view_layer.objects.active
    tools.only(sphere)
    job, read = addon("texture.job"), addon("ui.texture_properties").read_texture_settings
    from underpaint.buffers import Buffers

    times = []
    for _ in range(5):
        began = time.thread_time()
        begun = job.begin(bpy.context, read(settings()), "PLACED", Buffers())
        times.append(time.thread_time() - began)
    assert min(times) < 0.016, times
    with ThreadPoolExecutor(1) as thread:
        made = thread.submit(job.new_layer, begun).result()
    assert made.request.mesh.ids.shape == (34782 * 3, 2)
    same = addon("texture.scene_mesh").extract_mesh([sphere], bpy.context.evaluated_depsgraph_get())
    assert made.request.mesh == same.mesh


def a_texture_is_painted_after_a_picture():
    """Its own, beside the Image tab's; it is sent along, and so comes back with the result."""
    from underpaint.tree import from_json

    tools.only(tools.quad())
    group = settings()
    one = group.references.add()
    one.image, one.model, one.scale = bpy.data.images.new("wood", 16, 8), "/adapters/plus", 0.3
    try:
        request = from_json(texture().paint.image["underpaint_request"])
        (reference,) = request.references
        assert (reference.model, reference.scale) == ("/adapters/plus", 0.3)
        assert reference.image.shape == (8, 16, 3)
    finally:
        group.references.clear()


def nothing_selected_is_said():
    tools.only(tools.quad())
    bpy.context.view_layer.objects.active.select_set(False)
    bpy.context.view_layer.objects.active = None
    settings().prompt = QUICK
    assert "no mesh is selected" in refusal(lambda: bpy.ops.underpaint.texture(timeout=60))


def an_object_of_another_file_is_refused():
    item = tools.quad("Linked")
    tools.only(item)
    blend = Path(bpy.app.tempdir) / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), copy=True)
    bpy.data.objects.remove(item)
    with bpy.data.libraries.load(str(blend), link=True) as (_there, here):
        here.objects = ["Linked"]
    bpy.context.scene.collection.objects.link(here.objects[0])
    tools.only(here.objects[0])
    settings().prompt = QUICK
    assert "another file" in refusal(lambda: bpy.ops.underpaint.texture(timeout=60))
    refusal(bpy.ops.underpaint.mask_paint)


def a_shader_without_colour_is_refused_before_painting():
    item, made = tools.quad(), tools.material()
    made.node_tree.nodes.remove(tools.principled(made))
    item.data.materials.append(made)
    tools.only(item)
    settings().prompt = QUICK
    assert "no shader with a colour" in refusal(lambda: bpy.ops.underpaint.texture(timeout=60))
    assert "Principled" in live().error.hint
    assert live().current is None


BEHAVIOURS = (
    panel_and_python_ask_for_the_same,
    settings_of_a_layer_can_be_used_again,
    objects_may_have_prompts_and_loras_of_their_own,
    a_texture_can_be_symmetric_across_the_objects_axis,
    cameras_of_the_scene_can_be_the_views,
    without_a_uv_map_it_is_refused_with_a_fix,
    unwrapping_leaves_other_uv_maps_and_the_selection_alone,
    the_button_reads_a_large_mesh_within_a_tick,
    a_texture_is_painted_after_a_picture,
    nothing_selected_is_said,
    an_object_of_another_file_is_refused,
    a_shader_without_colour_is_refused_before_painting,
)
