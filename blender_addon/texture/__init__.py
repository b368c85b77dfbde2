"""Textures: from objects and settings to a request."""
