"""Words of a prompt by real keys: part of `window_frame`'s story, in the same Blender. See its
pictures."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
from window_tools import inside, screenshot, show_sidebar, until_settled, wait, window


def words_are_weighed_by_keys() -> Iterator[float]:
    group = bpy.context.scene.underpaint
    group.prompt = "a castle, old moss"
    yield from show_sidebar()
    for name in ("UNDERPAINT_PT_styles", "UNDERPAINT_PT_weights"):
        with inside():
            bpy.ops.wm.call_panel(name=name, keep_open=True)
        yield from until_settled(f"f_{name.removeprefix('UNDERPAINT_PT_')}")
        press("ESC")
        yield 0.5
    with inside():
        bpy.ops.underpaint.write(field="prompt")
    yield 1.0
    area = next(area for area in window().screen.areas if area.type == "TEXT_EDITOR")
    text = area.spaces.active.text
    assert text == group.prompt_text
    text.select_set(0, 14, 0, 18)
    window().event_simulate(type="MOUSEMOVE", value="NOTHING", **middle(area))
    yield 0.5
    yield from keyed(area, "UP_ARROW", "a castle, old (moss:1.1)", ctrl=True)
    yield from keyed(area, "UP_ARROW", "a castle, old (moss:1.2)", ctrl=True)
    screenshot("f_words_weighed")
    yield from keyed(area, "Z", "a castle, old (moss:1.1)", ctrl=True)
    yield from keyed(area, "DOWN_ARROW", "a castle, old moss", ctrl=True)
    yield from keyed(area, "END", "a castle, old moss")
    yield from keyed(area, "RET", "a castle, old moss\n")
    yield from keyed(area, "F", "a castle, old moss\nf", unicode="f")
    group.prompt = "a mill"
    yield from wait(lambda: text.as_string() == "a mill")
    other = area.spaces.active.text = bpy.data.texts.new("notes")
    other.write("moss")
    window().event_simulate(type="UP_ARROW", value="PRESS", ctrl=True, **middle(area))
    yield 0.5
    assert other.as_string() == "moss", "Texts that are no prompts are left alone"


def keyed(area, key: str, prompt: str, **more) -> Iterator[float]:
    """Press a key with the pointer in the Text Editor; the panel's field then says `prompt`."""
    more |= middle(area)
    window().event_simulate(type=key, value="PRESS", **more)
    more.pop("unicode", None)
    window().event_simulate(type=key, value="RELEASE", **more)
    group = bpy.context.scene.underpaint
    try:
        yield from wait(lambda: group.prompt == prompt)
    except AssertionError as error:
        raise AssertionError(f"after {key}: {group.prompt!r}, not {prompt!r}") from error


def middle(area) -> dict[str, int]:
    return {"x": area.x + area.width // 2, "y": area.y + area.height // 2}


def press(key: str) -> None:
    for value in ("PRESS", "RELEASE"):
        window().event_simulate(type=key, value=value)
