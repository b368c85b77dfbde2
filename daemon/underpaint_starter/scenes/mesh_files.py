"""Meshes of files, as the scenes of training and of judging take them."""

from pathlib import Path

import torch

from underpaint_starter.scenes.shapes import Mapping, Mesh, normalised, vertex_normals


def load_obj(path: Path) -> Mesh:
    """Read the triangles and polygons of a Wavefront OBJ file; smooth normals are computed."""
    vertices: list[list[float]] = []
    faces: list[list[int]] = []
    for line in path.read_text().splitlines():
        words = line.split()
        if words[:1] == ["v"]:
            vertices.append([float(x) for x in words[1:4]])
        elif words[:1] == ["f"]:
            ids = [int(word.split("/")[0]) for word in words[1:]]
            ids = [i - 1 if i > 0 else len(vertices) + i for i in ids]
            faces += [[ids[0], ids[k], ids[k + 1]] for k in range(1, len(ids) - 1)]
    points, triangles = torch.tensor(vertices), torch.tensor(faces)
    normals = vertex_normals(points, triangles)
    return normalised(Mesh(points, normals, triangles, Mapping.PLANAR, closed=False))
