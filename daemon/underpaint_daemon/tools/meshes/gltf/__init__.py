"""glTF: a file as it is, what it shows, and the same file with its paint on."""
