"""The two sockets and their threads."""
