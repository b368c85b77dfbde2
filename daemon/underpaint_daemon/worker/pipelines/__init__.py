"""Diffusion pipelines behind one request."""
