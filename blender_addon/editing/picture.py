"""Which picture an operator of the Image Editor works on."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from bpy.props import StringProperty


class OfPicture:
    """A mixin: the picture of a name, or the one that the Image Editor shows."""

    image: StringProperty(
        options={"HIDDEN", "SKIP_SAVE"},
        description="The name of the image; empty: the one that is shown",
    )
