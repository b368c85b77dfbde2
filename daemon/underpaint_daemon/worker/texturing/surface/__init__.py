"""The mesh and its atlas: positions, normals, UVs, texels."""
