"""Pipelines that Underpaint has no file for: diffusers' own, as its index names them."""
