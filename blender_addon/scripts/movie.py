"""A movie of pictures, by Blender's own encoder: H.264 in MP4, colours as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy


def write(path: Path, pictures: list[Path], fps: float) -> bool:
    """Encode pictures of one size, in order. False when this Blender was built without FFmpeg."""
    if not bpy.app.build_options.codec_ffmpeg:
        return False
    scene = bpy.data.scenes.new("Underpaint movie")
    try:
        _sequence(scene, pictures)
        _settings(scene, path, fps)
        with bpy.context.temp_override(scene=scene):
            bpy.ops.render.render(animation=True, scene=scene.name)
    finally:
        bpy.data.scenes.remove(scene)
    return path.exists()


def _sequence(scene: Any, pictures: list[Path]) -> None:
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences  # before 4.4
    strip = strips.new_image("frames", str(pictures[0]), channel=1, frame_start=1)
    for picture in pictures[1:]:
        strip.elements.append(picture.name)
    strip.frame_final_duration = len(pictures)
    image = bpy.data.images.load(str(pictures[0]))
    # H.264 halves its colours' size: odd sides lose their last row or column.
    scene.render.resolution_x, scene.render.resolution_y = (side // 2 * 2 for side in image.size)
    bpy.data.images.remove(image)
    scene.frame_start, scene.frame_end = 1, len(pictures)


def _settings(scene: Any, path: Path, fps: float) -> None:
    render = scene.render
    render.resolution_percentage = 100
    render.fps = max(1, round(fps))
    render.fps_base = max(1, round(fps)) / fps
    scene.view_settings.view_transform = "Standard"
    if hasattr(render.image_settings, "media_type"):  # from 5.0 on
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
    render.ffmpeg.constant_rate_factor = "HIGH"
    render.filepath, render.use_file_extension = str(path), False
    render.use_sequencer, render.use_compositing = True, False
