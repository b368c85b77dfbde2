"""What a file or folder is that is not what it was given as: told by its bytes and its names."""
