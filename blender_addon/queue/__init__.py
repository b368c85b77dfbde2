"""The queue in the panel: its order, its pauses, and the GPU left to renders."""
