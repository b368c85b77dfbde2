"""Tiny models with random weights, and what runs requests on them."""
