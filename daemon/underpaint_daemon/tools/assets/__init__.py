"""`underpaint texture`: mesh files in, painted meshes out."""
