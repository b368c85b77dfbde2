"""What Blender calls this add-on, from whichever of its rooms it is asked."""

ADDON = __package__ or ""
