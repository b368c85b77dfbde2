"""Texture layers: what was painted, non-destructively, on the artist's own materials.

`surfaces` says what a job paints, `nodes` builds the shader nodes, `compose` does their sums in
numpy, `stack` keeps the list, `results` turns a job's files into a layer.
"""
