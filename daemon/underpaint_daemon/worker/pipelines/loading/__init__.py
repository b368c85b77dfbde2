"""From a model on disk to its components in memory."""
