"""Processes of their own: the asset client, evaluations, benches. The server never imports them."""
