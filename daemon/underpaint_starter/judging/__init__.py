"""Judges and measures: what a painting shows, and how well it shows it."""
