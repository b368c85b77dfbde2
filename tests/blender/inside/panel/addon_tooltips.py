"""Behaviours of what is said when the pointer rests on a control. Run by `addon_behaviours`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import bpy
from addon_tools import MODULE, addon

LEAST_WORDS = 3
LEAST_LETTERS = 12


@dataclass(frozen=True)
class Control:
    """`where` in the code; the `name` beside it; what it `says`; whether it is ever `shown`."""

    where: str
    name: str
    says: str
    shown: bool = True


def ours(kind: type) -> Iterator[type]:
    """The add-on's registered classes of a kind."""
    for cls in kind.__subclasses__():
        if cls.__module__.startswith(MODULE) and getattr(cls, "is_registered", False):
            yield cls
        yield from ours(cls)


def controls() -> Iterator[Control]:
    """Every operator, property, choice and menu that the add-on has registered."""
    for cls in ours(bpy.types.Operator):
        room, verb = cls.bl_idname.split(".")
        told = getattr(getattr(bpy.ops, room), verb).get_rna_type()
        yield Control(cls.__name__, told.name, told.description)
        yield from properties(cls.__name__, told)
    for kind in (bpy.types.PropertyGroup, bpy.types.AddonPreferences):
        for cls in ours(kind):
            yield from properties(cls.__name__, cls.bl_rna)
    popovers = (c for c in ours(bpy.types.Panel) if c.bl_region_type == "WINDOW")
    for cls in (*ours(bpy.types.Menu), *popovers):
        yield Control(cls.__name__, cls.bl_label, getattr(cls, "bl_description", ""))
    for name in ("underpaint_prompt", "underpaint_loras", "underpaint_leave"):
        told = bpy.types.Object.bl_rna.properties[name]
        yield Control(f"Object.{name}", told.name, told.description)


def properties(where: str, told) -> Iterator[Control]:
    blenders = {"rna_type", *(told.base.properties.keys() if told.base else ())}
    for prop in told.properties:
        if prop.identifier in blenders:
            continue
        place, shown = f"{where}.{prop.identifier}", not prop.is_hidden
        yield Control(place, prop.name, prop.description, shown)
        if prop.type == "ENUM" and shown:
            for item in prop.enum_items_static:
                yield Control(f"{place}.{item.identifier}", item.name, item.description)


def every_control_says_what_it_does():
    found = list(controls())
    assert len(found) > 200, "the add-on's classes are walked"
    for control in found:
        said = control.says
        assert len(said.split()) >= LEAST_WORDS, f"{control} says too little"
        assert len(said) >= LEAST_LETTERS, f"{control} says too little"
        assert said.casefold() != control.name.casefold(), f"{control} repeats its name"
        assert "\n" not in said, f"{control} is broken into lines"
        assert not said.endswith("."), f"{control}: Blender sets the full stop"


def what_controls_say_is_said_in_every_language():
    languages = addon("languages")
    for language, texts in languages.translations().items():
        lacking = {c.says for c in controls() if c.shown and ("*", c.says) not in texts}
        assert lacking == set(), f"add these to languages/tips.tsv, in {language}"


def words_mean_what_they_mean_here_and_not_elsewhere_in_blender():
    """Where Blender translates a word in another sense (*Pin*, *To*), ours is taken."""
    own = addon("languages").CONTEXT
    for kind in (bpy.types.Panel, bpy.types.Menu):
        assert {cls.bl_rna.translation_context for cls in ours(kind)} == {own}
    for cls in ours(bpy.types.Operator):
        room, verb = cls.bl_idname.split(".")
        told = getattr(getattr(bpy.ops, room), verb).get_rna_type()
        assert told.translation_context == own, cls
        assert_own(told, own)
    for kind in (bpy.types.PropertyGroup, bpy.types.AddonPreferences):
        for cls in ours(kind):
            assert_own(cls.bl_rna, own)


def assert_own(told, own: str) -> None:
    blenders = {"rna_type", *(told.base.properties.keys() if told.base else ())}
    for prop in told.properties:
        assert prop.identifier in blenders or prop.translation_context == own, (told, prop)


BEHAVIOURS = (
    every_control_says_what_it_does,
    what_controls_say_is_said_in_every_language,
    words_mean_what_they_mean_here_and_not_elsewhere_in_blender,
)
