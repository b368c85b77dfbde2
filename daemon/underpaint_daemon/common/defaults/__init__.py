"""What a model wants, resolved in one place: by hand, its file, its distillation, its family."""
