"""glTF files of each kind, small, made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .gltf_draft import POINTS, UV, Draft
from .wearing import glb

_RNG = np.random.default_rng(5)


def plain(d: Draft) -> None:
    d.mesh(d.primitive())


def without_uvs(d: Draft) -> None:
    first = d.primitive(None)
    first["attributes"]["_MINE"] = d.numbers(np.arange(4, dtype=np.uint8), normalized=False)
    first["targets"] = [{"POSITION": d.numbers(POINTS * 0.1)}]
    d.mesh(first, d.primitive(), weights=[0.0])


def skin(d: Draft) -> None:
    part = d.primitive()
    joints = np.array([[0, 1, 0, 0]] * 4, np.uint8)
    part["attributes"] |= {
        "JOINTS_0": d.numbers(joints),
        "WEIGHTS_0": d.numbers(np.array([[0.5, 0.5, 0, 0]] * 4, np.float32)),
        "COLOR_0": d.numbers(_RNG.integers(0, 255, (4, 4), np.uint8), normalized=True),
        "TANGENT": d.numbers(np.array([[1, 0, 0, 1]] * 4, np.float32)),
        "NORMAL": d.numbers(np.array([[0, 0, 1]] * 4, np.float32)),
        "TEXCOORD_1": d.numbers(UV * 0.5),
    }
    d.mesh(part)
    inverse = np.tile(np.eye(4, dtype=np.float32).reshape(1, 16), (2, 1))
    d.doc["skins"] = [{"joints": [1, 2], "inverseBindMatrices": d.numbers(inverse)}]
    d.doc["nodes"] = [
        {"mesh": 0, "skin": 0, "name": "Arm"},
        {"name": "Upper", "children": [2], "translation": [0, 1, 0]},
        {"name": "Lower", "rotation": [0, 0, 0.3826834, 0.9238795]},
    ]
    d.doc["scenes"] = [{"nodes": [0, 1]}]
    times = d.numbers(np.array([0, 1], np.float32), min=[0.0], max=[1.0])
    moved = d.numbers(np.zeros((2, 3), np.float32))
    d.doc["animations"] = [
        {
            "samplers": [{"input": times, "output": moved}],
            "channels": [{"sampler": 0, "target": {"node": 1, "path": "translation"}}],
        }
    ]


def morphs(d: Draft) -> None:
    part = d.primitive()
    part["targets"] = [{"POSITION": d.numbers(POINTS * k)} for k in (0.2, -0.4)]
    sparse = {
        "count": 1,
        "indices": {"bufferView": d.view(np.uint16([2]).tobytes()), "componentType": 5123},
        "values": {"bufferView": d.view(np.float32([0, 0, 1]).tobytes())},
    }
    d.doc["accessors"].append({"componentType": 5126, "count": 4, "type": "VEC3", "sparse": sparse})
    part["targets"].append({"POSITION": len(d.doc["accessors"]) - 1})
    d.mesh(part, weights=[0.5, 0.0, 1.0])


def quantized(d: Draft) -> None:
    part = d.primitive(None)
    points = np.array(
        [[0, 0, 0, 0], [9000, 0, 0, 0], [9000, 9000, 0, 0], [0, 9000, 1, 0]], np.int16
    )
    where = d.view(points.tobytes(), byteStride=8)
    d.doc["accessors"][part["attributes"]["POSITION"]] = {
        "bufferView": where, "componentType": 5122, "count": 4, "type": "VEC3", "normalized": True,
    }  # fmt: skip
    part["attributes"]["TEXCOORD_0"] = d.numbers(
        np.array([[0, 0], [65535, 0], [65535, 40000], [0, 40000]], np.uint16), normalized=True
    )
    d.mesh(part)
    d.doc["nodes"][0]["scale"] = [3.0, 3.0, 3.0]
    d.doc["extensionsUsed"] = d.doc["extensionsRequired"] = ["KHR_mesh_quantization"]


def instances(d: Draft) -> None:
    d.mesh(d.primitive(material=0))
    d.doc["materials"] = [{"name": "Rubber"}]
    d.doc["nodes"] = [{"mesh": 0, "translation": [3 * i, 0, 0], "name": "Wheel"} for i in range(5)]
    d.doc["nodes"][4]["scale"] = [-1, 1, 1]
    d.doc["scenes"] = [{"nodes": list(range(5))}]


def instances_without_uvs(d: Draft) -> None:
    """Five wheels: the first is shrunk to nothing, the second mirrored and the largest."""
    d.mesh(d.primitive(None, material=0))
    d.doc["materials"] = [{"name": "Rubber"}]
    d.doc["nodes"] = [{"mesh": 0, "translation": [3 * i, 0, 0], "name": f"{i}"} for i in range(5)]
    d.doc["nodes"][0]["scale"] = [0, 0, 0]
    d.doc["nodes"][1]["scale"] = [-2, 1, 1]
    d.doc["scenes"] = [{"nodes": list(range(5))}]


def gpu_instances(d: Draft) -> None:
    """Three wheels that are one node, as exporters for the web write them."""
    d.mesh(d.primitive(material=0))
    d.doc["materials"] = [{"name": "Rubber"}]
    half = np.float32(0.5**0.5)
    attributes = {
        "TRANSLATION": d.numbers(np.float32([[0, 0, 0], [3, 0, 0], [0, 0, 5]])),
        "ROTATION": d.numbers(np.float32([[0, 0, 0, 1], [0, 0, half, half], [0, 0, 0, 1]])),
        "SCALE": d.numbers(np.float32([[1, 1, 1], [2, 2, 2], [-1, 1, 1]])),
        "_ID": d.numbers(np.float32([7, 8, 9])),
    }
    d.doc["nodes"][0] |= {
        "translation": [0, 10, 0],
        "extensions": {"EXT_mesh_gpu_instancing": {"attributes": attributes}},
    }
    d.doc["extensionsUsed"] = d.doc["extensionsRequired"] = ["EXT_mesh_gpu_instancing"]


def gpu_instances_without_uvs(d: Draft) -> None:
    d.mesh(d.primitive(None))
    moved = d.numbers(np.float32([[0, 0, 0], [3, 0, 0]]))
    extension = {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": moved}}}
    d.doc["nodes"][0]["extensions"] = extension
    d.doc["extensionsUsed"] = ["EXT_mesh_gpu_instancing"]


def looks(d: Draft) -> None:
    """What exporters say of materials, scenes and nodes besides their colours."""
    part = d.primitive(material=0)
    part["extensions"] = {
        "KHR_materials_variants": {"mappings": [{"material": 1, "variants": [0]}]}
    }
    d.mesh(part, extras={"from": "a shop"})
    shown, webp = d.image(), d.image(b"RIFF")
    d.doc["textures"][webp] = {"extensions": {"EXT_texture_webp": {"source": 1}}}
    d.doc["materials"] = [
        {
            "pbrMetallicRoughness": {"baseColorTexture": {"index": webp}},
            "emissiveTexture": {"index": shown},
            "extensions": {
                "KHR_materials_unlit": {},
                "KHR_materials_emissive_strength": {"emissiveStrength": 5.0},
            },
        },
        {"name": "the other look"},
    ]
    d.doc["extensions"] = {
        "KHR_materials_variants": {"variants": [{"name": "midnight"}]},
        "KHR_lights_punctual": {"lights": [{"type": "point"}]},
    }
    d.doc["cameras"] = [{"type": "perspective", "perspective": {"yfov": 0.7, "znear": 0.1}}]
    d.doc["nodes"] += [
        {"camera": 0, "name": "Camera"},
        {"extensions": {"KHR_lights_punctual": {"light": 0}}, "extras": {"watts": 60}},
    ]
    d.doc["scenes"] = [{"nodes": [0, 1, 2], "extras": {"unit": "m"}}]
    names = ("unlit", "emissive_strength", "variants")
    d.doc["extensionsUsed"] = [f"KHR_materials_{name}" for name in names]
    d.doc["extensionsUsed"] += ["KHR_lights_punctual", "EXT_texture_webp"]


def hierarchy(d: Draft) -> None:
    d.mesh(d.primitive(mode=4), d.primitive())
    strip = d.primitive()
    strip |= {"indices": d.numbers(np.array([0, 1, 3, 2], np.uint16)), "mode": 5}
    lines = d.primitive()
    lines |= {"indices": d.numbers(np.array([0, 1], np.uint16)), "mode": 1}
    d.mesh(strip, lines)
    turn = np.array([[0, -1, 0, 2], [1, 0, 0, 3], [0, 0, 1, 4], [0, 0, 0, 1]])
    d.doc["nodes"] = [
        {"children": [1, 2], "matrix": turn.T.reshape(-1).tolist(), "name": "Root"},
        {"mesh": 0, "name": "Leaf", "extras": {"mine": 1}},
        {"mesh": 1, "name": "Leaf", "scale": [1, 2, 1]},
    ]


def tiles(d: Draft) -> None:
    wide = UV.copy()
    wide[3] += [3.0, 0.0]
    d.mesh(d.primitive(wide, material=0), d.primitive(material=0))
    d.doc["materials"] = [{}]


def materials(d: Draft) -> None:
    part = d.primitive(material=0)
    part["attributes"]["TEXCOORD_1"] = d.numbers(UV[::-1].copy())
    d.mesh(part)
    one, other = d.image(), d.image()
    moved = {"KHR_texture_transform": {"scale": [4, 4], "offset": [0.5, 0]}}
    d.doc["materials"] = [
        {
            "name": "Stone",
            "pbrMetallicRoughness": {
                "baseColorTexture": {"index": one, "texCoord": 1, "extensions": moved},
                "baseColorFactor": [0.2, 0.3, 0.4, 0.5],
            },
            "normalTexture": {"index": other, "extensions": moved, "scale": 0.5},
            "alphaMode": "BLEND",
            "extras": {"mine": [1, 2]},
            "extensions": {"KHR_materials_clearcoat": {"clearcoatFactor": 0.5}},
        }
    ]
    d.doc["extensionsUsed"] = ["KHR_texture_transform", "KHR_materials_clearcoat"]
    d.doc["extensionsRequired"] = ["KHR_texture_transform"]


def large_image(d: Draft) -> None:
    d.image(b"LARGE" * 30_000)
    d.mesh(d.primitive(material=0))
    d.doc["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]


def compressed_as_well(d: Draft) -> None:
    """As packers write it for programs that do not know their compression: both forms."""
    d.mesh(d.primitive())
    for view in d.doc["bufferViews"]:
        packed = {"buffer": 0, "byteOffset": 0, "byteLength": 4, "byteStride": 4, "count": 1}
        view["extensions"] = {"EXT_meshopt_compression": {**packed, "mode": "ATTRIBUTES"}}
    draco = {"bufferView": 0, "attributes": {"POSITION": 0}}
    d.doc["meshes"][0]["primitives"][0]["extensions"] = {"KHR_draco_mesh_compression": draco}
    d.doc["extensionsUsed"] = ["EXT_meshopt_compression", "KHR_draco_mesh_compression"]


SAMPLES = {
    "plain": plain,
    "without UVs": without_uvs,
    "skin": skin,
    "morphs": morphs,
    "quantized": quantized,
    "instances": instances,
    "instances without UVs": instances_without_uvs,
    "gpu instances": gpu_instances,
    "gpu instances without UVs": gpu_instances_without_uvs,
    "looks": looks,
    "hierarchy": hierarchy,
    "tiles": tiles,
    "materials": materials,
}
_MORE = {"a large image": large_image, "compressed as well": compressed_as_well}


def sample(kind: str, folder: Path, more: dict[str, Any] | None = None) -> Path:
    """A sample in a folder."""
    draft = Draft()
    (SAMPLES | _MORE)[kind](draft)
    draft.doc["buffers"] = [{"byteLength": len(draft.binary)}]
    path = folder / f"{kind}.glb"
    path.write_bytes(glb(draft.doc | (more or {}), bytes(draft.binary)))
    return path
