"""Geometry passes by our own shader into a float framebuffer.

View-space position is interpolated and written as it is, so depth is linear and exact to
float32, whatever the depth buffer's format. What hides what is told by the logarithm of that
depth, since Blender 4.5: a projected one has no digits left where clips lie far apart (1e-6 to
1e6 m). The same in the window and in the background.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import gpu
import numpy as np
import numpy.typing as npt

from underpaint.cameras import Camera

from .surfaces import Passes, Placed, Triangles, normal_matrix

# One uniform block per draw: three matrices would not fit into 128 bytes of push constants.
_BLOCK = "struct UnderpaintDraw { mat4 clip; mat4 view; mat4 normal; vec4 facts; vec4 range; };\n"

# The face's own normal tells the side: gl_FrontFacing would depend on mirrored transforms and on
# the graphics backend. facts = object id, number of the item from 1 and negative when its mesh has
# no UVs, 1 when orthographic. `uv` carries the barycentric weights behind the UVs, `color` the
# number of the triangle. range = clip start and end in metres.
_VERTEX = """
void main()
{
  v_position = (draw.view * vec4(position, 1.0)).xyz;
  v_normal = mat3(draw.normal) * normal;
  v_face = mat3(draw.normal) * face;
  v_uv = uv;
  v_color = color;
  gl_Position = draw.clip * vec4(position, 1.0);
}
"""
_FRAGMENT = """
void main()
{
  float depth = -v_position.z;
  if (depth < draw.range.x || depth > draw.range.y) {
    discard;
  }
#ifdef UNDERPAINT_OWN_DEPTH
  gl_FragDepth = clamp(log2(depth / draw.range.x) / log2(draw.range.y / draw.range.x), 0.0, 1.0);
#endif
  vec3 to_viewer = draw.facts.z > 0.5 ? vec3(0.0, 0.0, 1.0) : -v_position;
  vec3 n = dot(v_face, to_viewer) < 0.0 ? -v_normal : v_normal;
  out_position = vec4(v_position, draw.facts.x);
  out_normal = vec4(n / max(length(n), 1e-20), draw.facts.y);
  out_surface = v_color;
  out_uv = v_uv;
}
"""
_OUTPUTS = ("out_position", "out_normal", "out_surface", "out_uv")
_ATTRIBUTES = (("position", 3), ("normal", 3), ("face", 3), ("uv", 4), ("color", 4))


def render(placed: list[Placed], camera: Camera, batches: dict[tuple[int, bytes], Any]) -> Passes:
    """Draw the surfaces; `batches` has, and gets, what of them is uploaded. Needs a GPU context
    (`gpu_context.ready`) and the main thread."""
    size = (camera.width, camera.height)
    textures = [gpu.types.GPUTexture(size, format="RGBA32F") for _ in _OUTPUTS]
    depth = gpu.types.GPUTexture(size, format="DEPTH_COMPONENT32F")
    framebuffer = gpu.types.GPUFrameBuffer(depth_slot=depth, color_slots=tuple(textures))
    with framebuffer.bind():
        framebuffer.clear(color=(0.0, 0.0, 0.0, 0.0), depth=1.0)
        _draw_all(placed, camera, batches)
        images = [_read(framebuffer, slot, size) for slot in range(len(_OUTPUTS))]
    return _passes(*images)


def _draw_all(placed: list[Placed], camera: Camera, batches: dict[tuple[int, bytes], Any]) -> None:
    before = (gpu.state.depth_test_get(), gpu.state.depth_mask_get(), gpu.state.blend_get())
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(True)
    gpu.state.blend_set("NONE")
    gpu.state.face_culling_set("NONE")
    try:
        shader = _shader()
        shader.bind()
        for number, item in enumerate(placed, start=1):
            key = (id(item.triangles), item.colors.tobytes())
            if key not in batches:
                batches[key] = _batch(item.triangles, item.colors)
            block = _block(item, number, camera)
            shader.uniform_block("draw", block)
            batches[key].draw(shader)
    finally:
        gpu.state.depth_test_set(before[0])
        gpu.state.depth_mask_set(before[1])
        gpu.state.blend_set(before[2])


@cache
def _shader() -> Any:
    info = gpu.types.GPUShaderCreateInfo()
    info.typedef_source(_BLOCK)
    info.uniform_buf(0, "UnderpaintDraw", "draw")
    for slot, (name, size) in enumerate(_ATTRIBUTES):
        info.vertex_in(slot, f"VEC{size}", name)
    between = gpu.types.GPUStageInterfaceInfo("underpaint_capture")
    for name, size in _ATTRIBUTES:
        # Constant over a triangle's corners are the face normal and the colour.
        add = between.flat if name in ("face", "color") else between.smooth
        add(f"VEC{size}", f"v_{name}")
    info.vertex_out(between)
    for slot, name in enumerate(_OUTPUTS):
        info.fragment_out(slot, "VEC4", name)
    if hasattr(info, "depth_write"):
        info.define("UNDERPAINT_OWN_DEPTH")
        info.depth_write("ANY")
    info.vertex_source(_VERTEX)
    info.fragment_source(_FRAGMENT)
    return gpu.shader.create_from_info(info)


def free() -> None:
    """Let go of the compiled shader; to be called when the add-on is switched off."""
    _shader.cache_clear()


def _batch(triangles: Triangles, colors: npt.NDArray[np.float32]) -> Any:
    layout = gpu.types.GPUVertFormat()
    for name, size in _ATTRIBUTES:
        layout.attr_add(id=name, comp_type="F32", len=size, fetch_mode="FLOAT")
    corners = len(triangles.position)
    uv = np.zeros((corners, 4), np.float32)
    if triangles.uv is not None:
        uv[:, :2] = triangles.uv
    uv[0::3, 2] = uv[1::3, 3] = 1.0
    count = len(triangles.material)
    color = np.column_stack([colors[triangles.slot(len(colors))], np.arange(count)])
    values = (
        triangles.position,
        triangles.normal,
        triangles.face_normal,
        uv,
        np.repeat(color.astype(np.float32), 3, axis=0),
    )
    vertices = gpu.types.GPUVertBuf(layout, corners)
    for (name, _size), array in zip(_ATTRIBUTES, values, strict=True):
        vertices.attr_fill(name, np.ascontiguousarray(array, np.float32))
    return gpu.types.GPUBatch(type="TRIS", buf=vertices)


def _block(item: Placed, number: int, camera: Camera) -> Any:
    # Multiplied in float64: a scene far from the origin keeps its precision in the view.
    view = camera.view_matrix @ item.to_world
    numbered = -number if item.triangles.uv is None else number
    facts = (item.object_id, numbered, camera.orthographic, 0.0)
    matrices = (camera.projection_matrix @ view, view, normal_matrix(view))
    ends = (camera.near, camera.far, 0.0, 0.0)
    vectors = [np.array(vector, np.float64) for vector in (facts, ends)]
    flat = np.concatenate([m.T.reshape(-1) for m in matrices] + vectors)
    return gpu.types.GPUUniformBuf(
        gpu.types.Buffer("FLOAT", flat.size, flat.astype(np.float32).tolist())
    )


def _read(framebuffer: Any, slot: int, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    # Into an array of our own: Blender's buffer may be freed while numpy still looks at it.
    width, height = size
    out = np.empty((height, width, 4), np.float32)
    target = gpu.types.Buffer("FLOAT", (height, width, 4), out)
    framebuffer.read_color(0, 0, width, height, 4, slot, "FLOAT", data=target)
    return out[::-1]


def _passes(
    position: npt.NDArray[np.float32],
    normal: npt.NDArray[np.float32],
    surface: npt.NDArray[np.float32],
    uv: npt.NDArray[np.float32],
) -> Passes:
    return Passes(
        position=position[..., :3],
        normal=normal[..., :3],
        uv=np.where(normal[..., 3:] > 0.5, uv[..., :2], np.float32(np.nan)),
        object_id=np.rint(position[..., 3]).astype(np.int32),
        color=surface[..., :3],
        item=np.rint(np.abs(normal[..., 3])).astype(np.int32) - 1,
        triangle=np.rint(surface[..., 3]).astype(np.int32),
        weights=uv[..., 2:],
    )
