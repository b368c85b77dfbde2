"""Prompts written in Blender's Text Editor: several lines, and weights by Ctrl Up and Down."""
