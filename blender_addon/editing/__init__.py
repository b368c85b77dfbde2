"""Editing in the image: mark a spot, repaint it, compare, send the picture elsewhere."""
