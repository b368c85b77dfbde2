"""Meshes as triangle corners: checked before anything heavy is loaded. No torch."""
