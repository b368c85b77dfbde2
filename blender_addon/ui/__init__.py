"""Panels, preferences and the properties behind them."""
