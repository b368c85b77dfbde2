"""Texturing: projection, multi-view synchronised diffusion, measures."""
