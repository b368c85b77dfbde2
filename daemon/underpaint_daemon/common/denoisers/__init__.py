"""Transformers and UNets by themselves: files with the network that paints and nothing else, and
where the rest of the model comes from. No torch."""
