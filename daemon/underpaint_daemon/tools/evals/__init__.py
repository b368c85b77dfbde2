"""`underpaint eval …`: measurements of projection, synchronisation and painted textures."""
