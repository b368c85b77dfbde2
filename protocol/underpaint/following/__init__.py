"""What a picture follows of a scene beside its surfaces, and what it leaves alone: the poses of
armatures, the outlines of objects, strokes of annotations, objects that stay as they are."""
