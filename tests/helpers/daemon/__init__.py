"""Real daemons, small real runners, a line that can be cut, a hub of models."""
