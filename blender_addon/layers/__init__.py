"""Texture layers: what was painted, non-destructively, on the artist's own materials.

`surfaces` says what a job paints, `faces` where it lies in UV space, `existing` what is there
already; `results` turns a job's files into a layer. `stack` keeps the list, `nodes` and `inside`
build the shader nodes. `visible` says what is seen, `reading` reads it, `compose` does the nodes'
sums in numpy, `ready` and `pixels` make images of them: for Solid shading (`shown`) and `flatten`.
"""
