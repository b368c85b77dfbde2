"""Measures of the daemon itself, on real processes and the real client."""
