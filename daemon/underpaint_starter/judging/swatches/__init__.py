"""Pictures of materials made by Blender itself: what the material classifier learns from.

Nothing here shares code with the starter's own renderer: node materials, meshes, lights and camera
are Blender's. The modules run in Blender's Python (`bpy`), never in the daemon's.
"""
