"""Training: batches, problems, losses, optimiser, and a file for each network that learns."""
