"""Meshes, and files of them."""
