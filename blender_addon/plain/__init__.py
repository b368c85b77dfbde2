"""Plain data and sums that need neither Blender nor the daemon."""
