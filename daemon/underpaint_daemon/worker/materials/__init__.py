"""Flat materials and their maps."""
