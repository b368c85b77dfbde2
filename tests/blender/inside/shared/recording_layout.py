"""A layout for panels that are drawn where there is no window.

It refuses what Blender's own `UILayout` would refuse: unknown functions, arguments, properties
and operators. What was drawn is in `drawn`.
"""

from __future__ import annotations

from typing import Any

import bpy

_NESTED = {"row", "column", "box", "split", "column_flow", "grid_flow"}
_ATTRIBUTES = {
    name for name, p in bpy.types.UILayout.bl_rna.properties.items() if not p.is_readonly
}


class Properties:
    """The properties of an operator button."""

    def __init__(self, operator: str) -> None:
        category, _, name = operator.partition(".")
        kind = getattr(bpy.ops, category)
        object.__setattr__(self, "_rna", getattr(kind, name).get_rna_type().properties)

    def __setattr__(self, name: str, _value: Any) -> None:
        assert name in self._rna, f"the operator has no property {name}"


class RecordingLayout:
    def __init__(self, drawn: list[tuple[Any, ...]] | None = None) -> None:
        object.__setattr__(self, "drawn", [] if drawn is None else drawn)

    def __setattr__(self, name: str, _value: Any) -> None:
        assert name in _ATTRIBUTES, f"UILayout has no {name}"

    def __getattr__(self, name: str) -> Any:
        if name == "icon":
            return lambda _data: 0
        function = bpy.types.UILayout.bl_rna.functions[name]

        def call(*positional: Any, **named: Any) -> Any:
            known = function.parameters.keys()
            unknown = set(named) - set(known)
            assert not unknown, f"UILayout.{name} takes no {unknown}"
            given = {**dict(zip(known, positional, strict=False)), **named}
            return self._drew(name, given)

        return call

    def _drew(self, name: str, given: dict[str, Any]) -> Any:
        self.drawn.append((name, given.get("text"), given.get("property", given.get("operator"))))
        if name == "prop":
            asked, data = given["property"], given["data"]
            own = asked.startswith('["') and asked[2:-2] in data
            assert own or asked in data.bl_rna.properties, asked
        if name == "template_list":
            assert hasattr(bpy.types, given["listtype_name"]), given["listtype_name"]
        if icon := given.get("icon"):
            icons = bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items
            assert icon in icons, f"there is no icon {icon}"
        if name == "operator":
            return Properties(given["operator"])
        return RecordingLayout(self.drawn) if name in _NESTED else None


class Drawn:
    """A panel stands on this when it is drawn: it needs `layout` only."""

    def __init__(self) -> None:
        self.layout = RecordingLayout()

    @property
    def texts(self) -> list[str]:
        return [text for _name, text, _what in self.layout.drawn if text]

    @property
    def properties(self) -> list[str]:
        return [what for name, _text, what in self.layout.drawn if name == "prop"]

    @property
    def operators(self) -> list[str]:
        return [what for name, _text, what in self.layout.drawn if name == "operator"]


class Context:
    """The context that panels read."""

    def __init__(self, region_width: int = 280) -> None:
        self.scene, self.view_layer = bpy.context.scene, bpy.context.view_layer
        self.area = None
        self.mode, self.selected_objects = bpy.context.mode, bpy.context.selected_objects
        self.region = type("Region", (), {"width": region_width})()
        self.preferences, self.window_manager = bpy.context.preferences, bpy.context.window_manager
