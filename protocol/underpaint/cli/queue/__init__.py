"""What the command line does with the queue: list it, change it, cancel, fetch."""
