"""`bench faults`: what becomes of accepted jobs while everything that can go wrong does."""
