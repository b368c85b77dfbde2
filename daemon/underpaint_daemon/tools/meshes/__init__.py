"""Mesh files, read and written without torch and without Blender: OBJ, PLY, glTF."""
