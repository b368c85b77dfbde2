"""Weights that stay packed in memory: their forms, and the layers that unpack them."""
