"""What is drawn over or shown in the 3D viewport while something is painted."""
