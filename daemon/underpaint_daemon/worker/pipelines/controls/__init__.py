"""Controls: the networks, and the pictures they are given."""
