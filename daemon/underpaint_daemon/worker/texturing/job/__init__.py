"""A texture job from its request to its files."""
