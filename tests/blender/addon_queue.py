"""Behaviours of paintings that wait: paused, moved, while Blender renders. Run by
`addon_behaviours`."""

from __future__ import annotations

import bpy
from addon_tools import addon, begin, draw, live, pump_until, settings

LONG, SHORT = "steps=200 seconds=0.05", "steps=8 seconds=0.05"


def begun_until_all_are_painted(tasks: list) -> list:
    """The tasks in the order in which the daemon began them."""
    order = []

    def looked() -> bool:
        order.extend(t for t in tasks if t.phase != "queued" and t not in order)
        return not live().session.tasks and not live().finished

    pump_until(looked)
    assert live().error is None, live().error
    assert len(settings().results) == len(tasks) + 1, "with the one that was painted meanwhile"
    return order


def several_wait(first: str = LONG) -> list:
    """One that is painted, and two behind it."""
    tasks = [begin(first)]
    pump_until(lambda: tasks[0].step > 0)
    for number in (1, 2):
        begin(f"{SHORT} number {number}")
        tasks.append(live().session.kept_tasks[-1])
    pump_until(lambda: all(task.job.info is not None for task in tasks))
    return tasks


def a_pause_lets_what_is_painted_end_and_begins_nothing():
    running, *others = several_wait()
    assert bpy.ops.underpaint.pause() == {"FINISHED"}
    assert "Paused" in " ".join(draw("UNDERPAINT_PT_main").texts)
    begin(f"{SHORT} number 3")
    third = live().session.kept_tasks[-1]
    running.job.enough()
    pump_until(lambda: running.ended)
    assert [task.job for task in (*others, third)] == [None] * 3, "the daemon has none of them"
    assert live().session.kept_tasks == [*others, third]
    bpy.ops.underpaint.cancel(job=third.id)
    pump_until(lambda: third.ended)
    assert bpy.ops.underpaint.pause() == {"FINISHED"}
    assert begun_until_all_are_painted(others) == others


def what_waits_is_painted_in_the_order_that_it_is_moved_to():
    running, first, second = several_wait()
    assert "underpaint.earlier" in draw("UNDERPAINT_PT_main").operators
    assert bpy.ops.underpaint.earlier(job=second.id) == {"FINISHED"}
    assert live().session.kept_tasks == [running, second, first]
    running.job.enough()
    assert begun_until_all_are_painted([first, second]) == [second, first]


def while_blender_renders_nothing_new_is_begun():
    pump, told = addon("pump"), [True]
    asked, pump.blender_renders = pump.blender_renders, lambda: told[0]
    try:
        pump.tick()
        task = begin(SHORT)
        for _ in range(20):
            pump.tick()
        assert task.job is None
        told[0] = False
        pump_until(lambda: task.ended)
    finally:
        pump.blender_renders = asked
    assert task.error is None


BEHAVIOURS = (
    a_pause_lets_what_is_painted_end_and_begins_nothing,
    what_waits_is_painted_in_the_order_that_it_is_moved_to,
    while_blender_renders_nothing_new_is_begun,
)
