"""The client’s side of a conversation with the daemon: sockets, questions, events, bulk."""
