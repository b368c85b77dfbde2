"""What the server and the workers both read. No torch."""
