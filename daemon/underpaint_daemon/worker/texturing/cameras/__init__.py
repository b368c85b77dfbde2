"""Where cameras stand, and what they see of the surface."""
