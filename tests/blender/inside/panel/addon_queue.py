"""Behaviours of the queue in the panel: its order, its pauses, the GPU left to renders. Run by
`addon_behaviours`."""

from __future__ import annotations

import bpy
from addon_tools import MODULE, STEPS, addon, begin, draw, live, pump_until, settings

LONG = "steps=9000 seconds=0.05"


def three() -> list:
    """One that is painted and two that wait, as the daemon has them."""
    begin(LONG)
    settings().prompt = STEPS
    for _ in range(2):
        assert bpy.ops.underpaint.generate(wait=False) == {"FINISHED"}
    tasks = list(live().session.tasks.values())
    pump_until(lambda: tasks[0].step > 0 and shown_order() == [t.id for t in tasks])
    return tasks


def shown_order() -> list[str]:
    told = live().queue.told
    return [] if told is None else [info.job for info in told.jobs]


def what_waits_is_painted_in_the_order_that_the_artist_gives_it():
    first, second, third = three()
    assert draw("UNDERPAINT_PT_main").operators.count("underpaint.queue_move") == 4
    bpy.ops.underpaint.queue_move(job=third.id, to="UP")
    pump_until(lambda: shown_order() == [first.id, third.id, second.id])
    assert live().queue.in_order(live().session.kept_tasks) == [first, third, second]
    bpy.ops.underpaint.queue_pause(job=third.id)
    pump_until(lambda: live().queue.is_paused(third))
    bpy.ops.underpaint.cancel(job=first.id)
    pump_until(lambda: second.ended)
    assert second.error is None
    assert third.phase == "queued", "the others pass it"
    bpy.ops.underpaint.queue_pause(job=third.id, paused=False)
    pump_until(lambda: third.ended)
    assert third.error is None


def a_paused_queue_begins_nothing_and_says_so():
    import underpaint
    from underpaint.requests import ImageRequest, Prompt

    live().session.start()
    pump_until(lambda: live().session.reachable)
    bpy.ops.underpaint.queue_pause()
    pump_until(lambda: live().queue.paused)
    drawn = draw("UNDERPAINT_PT_main")
    assert "Paused" in drawn.texts
    assert "Resume" in drawn.texts
    with underpaint.connect(start=False) as other:  # another program's comes first
        first = other.submit(ImageRequest(Prompt(STEPS)))
        task = begin(STEPS)
        pump_until(lambda: shown_order() == [first.id, task.id])
        assert "Waiting, 1 before it" in draw("UNDERPAINT_PT_main").texts
        first.cancel()
    pump_until(lambda: shown_order() == [task.id])
    assert task.phase == "queued"
    bpy.ops.underpaint.queue_pause(paused=False)
    pump_until(lambda: task.ended)
    assert task.error is None
    assert not live().queue.paused


def while_blender_renders_the_painting_waits_and_the_panel_says_why():
    task = begin(LONG)
    pump_until(lambda: task.step > 0)
    seen = []

    def within(*_) -> None:
        pump_until(lambda: task.phase == "yielding" and live().queue.yielded is not None)
        seen.extend(draw("UNDERPAINT_PT_main").texts)

    rendered(within)
    assert "Waits: Blender renders" in seen, seen
    pump_until(lambda: task.phase == "denoising" and live().queue.yielded is None)
    bpy.ops.underpaint.cancel()
    pump_until(lambda: task.ended)


def a_script_that_waits_for_a_painting_within_a_render_gets_it():
    task = begin("steps=20 seconds=0.05")
    rendered(lambda *_: addon("pump").run_until(lambda: task.ended, 60))
    assert task.error is None


def renders_need_not_be_made_room_for():
    live().session.start()
    pump_until(lambda: live().session.reachable)
    chosen = bpy.context.preferences.addons[MODULE].preferences
    chosen.yield_to_renders = False
    had = []
    try:
        rendered(lambda *_: had.append(live().leaving.now))
    finally:
        chosen.yield_to_renders = True
    assert had == [False]


def rendered(within) -> None:
    """Press F12, as a script does: a small picture; `within`: what happens meanwhile."""
    scene = bpy.context.scene
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x = scene.render.resolution_y = 8
    bpy.app.handlers.render_post.append(within)
    try:
        assert bpy.ops.render.render() == {"FINISHED"}
    finally:
        bpy.app.handlers.render_post.remove(within)


BEHAVIOURS = (
    what_waits_is_painted_in_the_order_that_the_artist_gives_it,
    a_paused_queue_begins_nothing_and_says_so,
    while_blender_renders_the_painting_waits_and_the_panel_says_why,
    a_script_that_waits_for_a_painting_within_a_render_gets_it,
    renders_need_not_be_made_room_for,
)
