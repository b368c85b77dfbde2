"""The Underpaint daemon: a torch-free server and its workers."""
