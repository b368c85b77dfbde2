"""What stands around a Blender that runs a script of behaviours."""
