"""`underpaint models scan|add|pull|verify|remove|defaults`: where models come from."""
