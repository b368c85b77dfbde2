"""Everything that may import torch."""
