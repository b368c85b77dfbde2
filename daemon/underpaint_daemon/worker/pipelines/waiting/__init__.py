"""Weights that wait in main memory and come to the card to work: networks, or their blocks."""
