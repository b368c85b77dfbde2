"""Animation: a range of frames painted beside Blender, followed in the panel, shown at its end."""
